"""QuickBooks Online: entities by query and change capture, financial reports by month."""
