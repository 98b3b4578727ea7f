"""`make demo` of the data mart document's two organizations alone, as a process of its own."""

from __future__ import annotations

from orchestration.demo.organizations import BENNETT, VITAL
from orchestration.demo.run import run_demo, summary

if __name__ == "__main__":
    print(summary(run_demo(print, (BENNETT, VITAL))))
