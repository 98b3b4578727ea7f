"""Invoices, bills, payments and other transactions as the accounting API shows them."""

from __future__ import annotations

from orchestration.demo.books.documents import Document, Line
from orchestration.demo.quickbooks.records import Payload, Records, money


class TransactionRecords(Records):
    """Records of documents. Names in them are those of when the document was last saved."""

    def payload(self, document: Document) -> Payload:
        """A document of any kind."""
        makers = {
            "Invoice": self._invoice,
            "Payment": self._payment,
            "Bill": self._bill,
            "BillPayment": self._billpayment,
            "Purchase": self._purchase,
            "Deposit": self._deposit,
            "JournalEntry": self._journalentry,
        }
        return makers[document.kind](document)

    def _invoice(self, document: Document) -> Payload:
        lines = []
        for number, line in enumerate(document.lines, start=1):
            if line.item:
                item = {"value": str(line.item), "name": line.description}
                detail: Payload = {"ItemRef": item, "UnitPrice": money(line.cents), "Qty": 1}
                detail["ItemAccountRef"] = self.account_ref(line.account, document.stamp)
                detail["TaxCodeRef"] = {"value": "TAX" if document.tax else "NON"}
                kind = "SalesItemLineDetail"
            else:
                kind = "DiscountLineDetail"
                detail = {
                    "PercentBased": False,
                    "DiscountAccountRef": self.account_ref(line.account, document.stamp),
                }
            # The API shows discounts as positive amounts: their kind says that they are taken off.
            cents = line.cents if line.item else -line.cents
            lines.append(self._line(number, line, kind, detail, cents))
        subtotal = sum(line.cents for line in document.lines if line.item)
        lines.append({"Amount": money(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
        return self._transaction(
            document,
            {
                "AllowIPNPayment": False,
                "AllowOnlinePayment": False,
                "LinkedTxn": self._settlers(document),
                "Line": lines,
                "TxnTaxDetail": {"TotalTax": money(document.tax)},
                "CustomerRef": self._party(document),
                "DueDate": document.due.isoformat() if document.due else None,
                "TotalAmt": money(document.amount),
                "ApplyTaxAfterDiscount": False,
                "PrintStatus": "NeedToPrint",
                "EmailStatus": "NotSet",
                "Balance": money(self.books.open_amount(document)),
            },
        )

    def _payment(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "CustomerRef": self._party(document),
                "DepositToAccountRef": {"value": str(document.account)},
                "TotalAmt": money(document.amount),
                "UnappliedAmt": money(document.amount - sum(document.applied.values())),
                "ProcessPayment": False,
                "LinkedTxn": self._settlers(document),
                "Line": self._applied_lines(document, "Invoice"),
            },
        )

    def _bill(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "DueDate": document.due.isoformat() if document.due else None,
                "Balance": money(self.books.open_amount(document)),
                "LinkedTxn": self._settlers(document),
                "Line": self._expense_lines(document),
                "VendorRef": self._party(document),
                "APAccountRef": self.account_ref(self.books.key["ap"], document.stamp),
                "TotalAmt": money(document.amount),
            },
        )

    def _billpayment(self, document: Document) -> Payload:
        ref = self.account_ref(document.account, document.stamp)
        if document.method == "CreditCard":
            paid = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": ref}}
        else:
            paid = {"PayType": "Check", "CheckPayment": {"BankAccountRef": ref, "PrintStatus": "NotSet"}}
        lines = self._applied_lines(document, "Bill")
        return self._transaction(
            document,
            {"VendorRef": self._party(document), **paid, "TotalAmt": money(document.amount), "Line": lines},
        )

    def _purchase(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "AccountRef": self.account_ref(document.account, document.stamp),
                "PaymentType": document.method,
                "EntityRef": {**self._party(document), "type": "Vendor"},
                "Credit": document.credit,
                "TotalAmt": money(document.amount),
                "Line": self._expense_lines(document),
            },
        )

    def _deposit(self, document: Document) -> Payload:
        lines = [
            {
                "Id": str(number),
                "LineNum": number,
                "Amount": money(cents),
                "LinkedTxn": [{"TxnId": str(payment), "TxnType": "Payment", "TxnLineId": "0"}],
                "DetailType": "DepositLineDetail",
                "DepositLineDetail": {},
            }
            for number, (payment, cents) in enumerate(document.applied.items(), start=1)
        ]
        for number, line in enumerate(document.lines, start=len(lines) + 1):
            detail = {"AccountRef": self.account_ref(line.account, document.stamp)}
            lines.append(self._line(number, line, "DepositLineDetail", detail, line.cents))
        account = self.account_ref(document.account, document.stamp)
        return self._transaction(
            document,
            {"DepositToAccountRef": account, "TotalAmt": money(document.amount), "Line": lines},
        )

    def _journalentry(self, document: Document) -> Payload:
        lines = []
        for number, line in enumerate(document.lines, start=1):
            side = "Debit" if line.cents >= 0 else "Credit"
            detail = {"PostingType": side, "AccountRef": self.account_ref(line.account, document.stamp)}
            lines.append(self._line(number, line, "JournalEntryLineDetail", detail, abs(line.cents)))
        return self._transaction(document, {"Adjustment": False, "Line": lines})

    def _transaction(self, document: Document, own: Payload) -> Payload:
        payload: Payload = {"DocNumber": document.number} if document.number else {}
        payload |= {"TxnDate": document.date.isoformat(), "CurrencyRef": self.currency}
        if document.note:
            payload["PrivateNote"] = document.note
        payload |= {key: value for key, value in own.items() if value is not None}
        return self.record(payload, document.id, document.stamp)

    def _line(self, number: int, line: Line, kind: str, detail: Payload, cents: int) -> Payload:
        shown: Payload = {"Id": str(number), "LineNum": number}
        if line.description:
            shown["Description"] = line.description
        return shown | {"Amount": money(cents), "DetailType": kind, kind: detail}

    def _expense_lines(self, document: Document) -> list[Payload]:
        kind = "AccountBasedExpenseLineDetail"
        return [
            self._line(
                number,
                line,
                kind,
                {
                    "AccountRef": self.account_ref(line.account, document.stamp),
                    "BillableStatus": "NotBillable",
                    "TaxCodeRef": {"value": "NON"},
                },
                line.cents,
            )
            for number, line in enumerate(document.lines, start=1)
        ]

    def _applied_lines(self, document: Document, kind: str) -> list[Payload]:
        return [
            {"Amount": money(cents), "LinkedTxn": [{"TxnId": str(target), "TxnType": kind}]}
            for target, cents in document.applied.items()
        ]

    def _settlers(self, document: Document) -> list[Payload]:
        settlers = [self.books.documents[number] for number in self.books.settled_by.get(document.id, ())]
        return [
            {"TxnId": str(d.id), "TxnType": "BillPaymentCheck" if d.kind == "BillPayment" else d.kind} for d in settlers
        ]

    def _party(self, document: Document) -> Payload:
        books = self.books
        party = books.customers.get(document.party) or books.vendors[document.party]
        return {"value": str(party.id), "name": party.name_at(document.stamp.updated)}
