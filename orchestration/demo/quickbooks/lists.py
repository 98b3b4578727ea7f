"""Accounts, customers, vendors and items as the accounting API shows them."""

from __future__ import annotations

from orchestration.demo.books.documents import Name
from orchestration.demo.quickbooks.records import Payload, Records, money


class ListRecords(Records):
    """Records of the name lists, with the balances that are open now."""

    def account(self, number: int) -> Payload:
        books = self.books
        account = books.accounts[number]
        balance = books.running[number] if account.facts.statement == "bs" else 0
        family = sum(books.running[n] for n in self._family(number)) if account.facts.statement == "bs" else 0
        path = [account.name]
        parent = account.parent
        while parent:
            path.insert(0, books.accounts[parent].name)
            parent = books.accounts[parent].parent
        payload: Payload = {"Name": account.name, "SubAccount": bool(account.parent)}
        if account.parent:
            payload["ParentRef"] = {"value": str(account.parent)}
        payload |= {
            "FullyQualifiedName": ":".join(path),
            "Active": account.active,
            "Classification": account.facts.classification,
            "AccountType": account.type,
            "AccountSubType": account.subtype,
        }
        if account.number:
            payload["AcctNum"] = account.number
        payload |= {
            "CurrentBalance": money(balance),
            "CurrentBalanceWithSubAccounts": money(family),
            "CurrencyRef": self.currency,
        }
        return self.record(payload, number, books.account_stamps[number])

    def customer(self, name: Name) -> Payload:
        payload = {
            "Taxable": bool(self.company.sales_tax_bp),
            "Job": False,
            "BillWithParent": False,
            "Balance": money(name.balance),
            "BalanceWithJobs": money(name.balance),
            "CurrencyRef": self.currency,
            "PreferredDeliveryMethod": "Print",
            "FullyQualifiedName": name.name,
            "CompanyName": name.name,
            "DisplayName": name.name,
            "PrintOnCheckName": name.name,
            "Active": name.active,
        }
        return self.record(payload, name.id, name.stamp)

    def vendor(self, name: Name) -> Payload:
        payload = {
            "Balance": money(-name.balance),
            "Vendor1099": False,
            "CurrencyRef": self.currency,
            "CompanyName": name.name,
            "DisplayName": name.name,
            "PrintOnCheckName": name.name,
            "Active": name.active,
        }
        return self.record(payload, name.id, name.stamp)

    def item(self, name: Name) -> Payload:
        payload: Payload = {
            "Name": name.name,
            "Active": name.active,
            "FullyQualifiedName": name.name,
            "Taxable": bool(self.company.sales_tax_bp),
            "UnitPrice": money(name.price),
            "Type": "NonInventory" if name.expense_account else "Service",
            "IncomeAccountRef": self.account_ref(name.account, name.stamp),
        }
        if name.expense_account:
            payload["PurchaseCost"] = money(name.price * 55 // 100)
            payload["ExpenseAccountRef"] = self.account_ref(name.expense_account, name.stamp)
        payload["TrackQtyOnHand"] = False
        return self.record(payload, name.id, name.stamp)

    def _family(self, number: int) -> list[int]:
        family = [number]
        for account in self.books.accounts.values():
            if account.parent in family:
                family.append(account.id)
        return family
