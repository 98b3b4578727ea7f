"""The parts of the `aiop` command, one module a group."""
