"""HubSpot's CRM: objects by list and search, what is archived or merged, associations, owners, pipelines."""
