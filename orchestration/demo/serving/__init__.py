"""What all stand-in servers share: serving, faults on request, the world's clock."""
