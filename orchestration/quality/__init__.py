"""Quality of landed rows: expectations as data, measured by organization; who is held back from publication for it.

Plain Python. ``check.check`` does all of it; ``orchestration/defs/quality.py`` shows its outcome as asset checks.
"""
