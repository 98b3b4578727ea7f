"""A dealership's life: orders, invoices, rental, equipment, and the general ledger that follows from them."""
