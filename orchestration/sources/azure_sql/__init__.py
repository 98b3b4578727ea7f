"""Case data in Azure SQL: one table without a key, read whole every night."""
