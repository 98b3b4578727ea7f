"""A stand-in for HubSpot's CRM API over one or more living portals."""
