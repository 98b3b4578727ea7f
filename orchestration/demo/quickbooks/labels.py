"""Words of the reports. They are the reader's language and nothing to rely on; groups and dates are."""

from __future__ import annotations

from datetime import date

ENGLISH = {
    "Income": "Income",
    "COGS": "Cost of Goods Sold",
    "GrossProfit": "Gross Profit",
    "Expenses": "Expenses",
    "NetOperatingIncome": "Net Operating Income",
    "OtherIncome": "Other Income",
    "OtherExpenses": "Other Expenses",
    "NetOtherIncome": "Net Other Income",
    "NetIncome": "Net Income",
    "TotalAssets": "ASSETS",
    "Total TotalAssets": "TOTAL ASSETS",
    "CurrentAssets": "Current Assets",
    "BankAccounts": "Bank Accounts",
    "AR": "Accounts Receivable",
    "OtherCurrentAssets": "Other Current Assets",
    "FixedAssets": "Fixed Assets",
    "OtherAssets": "Other Assets",
    "TotalLiabilitiesAndEquity": "LIABILITIES AND EQUITY",
    "Total TotalLiabilitiesAndEquity": "TOTAL LIABILITIES AND EQUITY",
    "Liabilities": "Liabilities",
    "CurrentLiabilities": "Current Liabilities",
    "AP": "Accounts Payable",
    "CreditCards": "Credit Cards",
    "OtherCurrentLiabilities": "Other Current Liabilities",
    "LongTermLiabilities": "Long-Term Liabilities",
    "Equity": "Equity",
    "OperatingActivities": "OPERATING ACTIVITIES",
    "Total OperatingActivities": "Net cash provided by operating activities",
    "OperatingAdjustments": "Adjustments to reconcile Net Income to Net Cash provided by operations:",
    "InvestingActivities": "INVESTING ACTIVITIES",
    "Total InvestingActivities": "Net cash provided by investing activities",
    "FinancingActivities": "FINANCING ACTIVITIES",
    "Total FinancingActivities": "Net cash provided by financing activities",
    "CashIncrease": "Net cash increase for period",
    "BeginningCash": "Cash at beginning of period",
    "EndingCash": "Cash at end of period",
    "Total": "Total",
}
FRENCH = {
    "Income": "Revenus",
    "COGS": "Coût des marchandises vendues",
    "GrossProfit": "Bénéfice brut",
    "Expenses": "Dépenses",
    "NetOperatingIncome": "Résultat d'exploitation net",
    "OtherIncome": "Autres revenus",
    "OtherExpenses": "Autres dépenses",
    "NetOtherIncome": "Autres revenus nets",
    "NetIncome": "Bénéfice net",
    "TotalAssets": "ACTIF",
    "Total TotalAssets": "TOTAL DE L'ACTIF",
    "CurrentAssets": "Actif à court terme",
    "BankAccounts": "Comptes bancaires",
    "AR": "Comptes clients",
    "OtherCurrentAssets": "Autres actifs à court terme",
    "FixedAssets": "Immobilisations",
    "OtherAssets": "Autres actifs",
    "TotalLiabilitiesAndEquity": "PASSIF ET CAPITAUX PROPRES",
    "Total TotalLiabilitiesAndEquity": "TOTAL DU PASSIF ET DES CAPITAUX PROPRES",
    "Liabilities": "Passif",
    "CurrentLiabilities": "Passif à court terme",
    "AP": "Comptes fournisseurs",
    "CreditCards": "Cartes de crédit",
    "OtherCurrentLiabilities": "Autres passifs à court terme",
    "LongTermLiabilities": "Passif à long terme",
    "Equity": "Capitaux propres",
    "OperatingActivities": "ACTIVITÉS D'EXPLOITATION",
    "Total OperatingActivities": "Flux de trésorerie nets liés aux activités d'exploitation",
    "OperatingAdjustments": "Ajustements du bénéfice net :",
    "InvestingActivities": "ACTIVITÉS D'INVESTISSEMENT",
    "Total InvestingActivities": "Flux de trésorerie nets liés aux activités d'investissement",
    "FinancingActivities": "ACTIVITÉS DE FINANCEMENT",
    "Total FinancingActivities": "Flux de trésorerie nets liés aux activités de financement",
    "CashIncrease": "Augmentation nette de la trésorerie",
    "BeginningCash": "Trésorerie au début de la période",
    "EndingCash": "Trésorerie à la fin de la période",
    "Total": "Total",
}
LABELS = {"en": ENGLISH, "fr": FRENCH}
MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc."),
}
TOTALS = {"en": "Total {}", "fr": "Total pour {}"}


class Labels:
    """Labels of one company: its language, and sections its owner gave other names."""

    def __init__(self, language: str, renamed: dict[str, str]) -> None:
        self.language = language
        self.renamed = renamed

    def section(self, group: str) -> str:
        return self.renamed.get(group) or LABELS[self.language][group]

    def total(self, group: str) -> str:
        """Label of a section's summary row."""
        own = LABELS[self.language].get(f"Total {group}")
        return own if own and group not in self.renamed else self.total_of(self.section(group))

    def total_of(self, name: str) -> str:
        return TOTALS[self.language].format(name)

    def month(self, day: date) -> str:
        return f"{self.short(day)} {day.year}"

    def short(self, day: date) -> str:
        return MONTHS[self.language][day.month - 1]
