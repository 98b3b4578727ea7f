"""AIOP Warehouse: extraction, loading and orchestration."""
