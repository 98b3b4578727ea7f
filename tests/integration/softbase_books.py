"""A dealership's ledger of four months, small enough to be added up by eye; docs/decisions/025 works it out.

The fiscal year begins in November. Debits are positive, so that all balances of a month add up to 0::

                             September          October          November          December
    110100 cash                   1000    -50 =>    950   +140 =>   1090  -60000 => -58910
    119000 advances                 50    +10 =>     60             (60)              (60)
    120100 receivable              400    +60 =>    460   -100 =>    360             (360)
    130100 inventory               300    -30 =>    270            (270)             (270)
    180100 fleet                   900   +100 =>   1000           (1000)            (1000)
    190100 depreciation so far    -200    -20 =>   -220    -20 =>   -240            (-240)
    200100 payable                -250    -40 =>   -290    +90 =>   -200            (-200)
    210100 sales tax               -50     -5 =>    -55            (-55)             (-55)
    220100 loan                   -500    +25 =>   -475   -200 =>   -675            (-675)
    300100 stock                 -1000          (-1000)          (-1000)           (-1000)
    310100 retained               -450           (-450)    0 =>    -700            (-700)
    320100 dividends                                        +30 =>    30              (30)
    410100 sales (YTD)           -2000   -300 =>  -2300   -400 =>   -400            (-400)
    510100 cost (YTD)             1200   +180 =>   1380   +250 =>    250             (250)
    610100 expense (YTD)           600    +70 =>    670   +210 =>    210  +60000 =>  60210
    990100 nothing                   0               0                0                 0

In parentheses: no row, because nothing moved. Retained earnings take up October's year-to-date result of 250 in
November, which is nobody's movement.
"""

from __future__ import annotations

from typing import Any

from landed_softbase import Row, account, balance

SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = "2025-09", "2025-10", "2025-11", "2025-12"

BALANCES: dict[str, dict[str, tuple[int, int]]] = {
    SEPTEMBER: {
        "110100": (1000, 5),
        "119000": (50, 0),
        "120100": (400, 20),
        "130100": (300, 0),
        "180100": (900, 0),
        "190100": (-200, -20),
        "200100": (-250, -10),
        "210100": (-50, 0),
        "220100": (-500, 0),
        "300100": (-1000, 0),
        "310100": (-450, 0),
        "410100": (-2000, -180),
        "510100": (1200, 110),
        "610100": (600, 75),
        "990100": (0, 0),
    },
    OCTOBER: {
        "110100": (950, -50),
        "119000": (60, 10),
        "120100": (460, 60),
        "130100": (270, -30),
        "180100": (1000, 100),
        "190100": (-220, -20),
        "200100": (-290, -40),
        "210100": (-55, -5),
        "220100": (-475, 25),
        "410100": (-2300, -300),
        "510100": (1380, 180),
        "610100": (670, 70),
    },
    NOVEMBER: {
        "110100": (1090, 140),
        "120100": (360, -100),
        "190100": (-240, -20),
        "200100": (-200, 90),
        "220100": (-675, -200),
        "310100": (-700, 0),
        "320100": (30, 30),
        "410100": (-400, -400),
        "510100": (250, 250),
        "610100": (210, 210),
    },
    DECEMBER: {"110100": (-58910, -60000), "610100": (60210, 60000)},
}
# Of the calendar, and of fiscal years that begin in November and are named after the year they end in.
CALENDAR = {SEPTEMBER: (2025, 9), OCTOBER: (2025, 10), NOVEMBER: (2025, 11), DECEMBER: (2025, 12)}
FISCAL = {SEPTEMBER: (2025, 11), OCTOBER: (2025, 12), NOVEMBER: (2026, 1), DECEMBER: (2026, 2)}

CHART = [
    account("110100", cash=True),
    # Numbered as cash, and none: the dealership flags what is.
    account("119000", "Current Assets"),
    account("120100", receivable=True),
    account("130100", "Assets"),
    account("180100", "Fixed Assets"),
    account("190100", "Fixed Assets"),
    account("200100", payable=True),
    account("210100"),
    account("220100", "Liabilities"),
    account("300100", "Equity"),
    account("310100"),
    account("320100", "Liabilities and Equity"),
    account("410100"),
    account("510100", "Income Statement"),
    account("610100"),
    account("990100"),
]

# (cash, change, operating, receivable, inventory, payable, investing, financing, health); the flows' working:
#   October: 50 net income + 20 depreciation - 60 + 30 + 40 - 10 advances + 5 tax = 75; fleet -100; loan -25
#   November: -60 + 20 + 100 - 90 = -30; loan 200 - dividend 30 = 170
#   December: -60000
MONTHS: dict[str, tuple[Any, ...]] = {
    SEPTEMBER: ("1000.00", None, None, None, None, None, None, None, "unknown"),
    OCTOBER: ("950.00", "-50.00", "75.00", "60.00", "-30.00", "40.00", "-100.00", "-25.00", "healthy"),
    NOVEMBER: ("1090.00", "140.00", "-30.00", "-100.00", "0.00", "-90.00", "0.00", "170.00", "warning"),
    DECEMBER: ("-58910.00", "-60000.00", "-60000.00", "0.00", "0.00", "0.00", "0.00", "0.00", "critical"),
}
BREAKDOWN = {
    SEPTEMBER: None,
    OCTOBER: {"fixed_assets": -100.0, "debt": -25.0, "equity": 0.0},
    NOVEMBER: {"fixed_assets": 0.0, "debt": 200.0, "equity": -30.0},
    DECEMBER: {"fixed_assets": 0.0, "debt": 0.0, "equity": 0.0},
}


def ledger(labels: dict[str, tuple[int, int]]) -> list[Row]:
    """Rows of GL with a plan beside what is actual: had it been read, everything would be doubled."""
    rows = []
    for month, accounts in BALANCES.items():
        for number, (ytd, mtd) in accounts.items():
            rows.append(balance(number, labels[month], ytd, mtd))
            rows.append(balance(number, labels[month], ytd, mtd, field="Budget"))
    return rows
