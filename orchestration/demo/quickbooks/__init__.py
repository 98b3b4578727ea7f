"""A stand-in for QuickBooks Online, from its documentation: queries, change capture, reports, OAuth, faults."""
