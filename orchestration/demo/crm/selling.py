"""Products, deals with their line items, and quotes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from orchestration.demo.crm.formats import DAY, calculated, iso, plain
from orchestration.demo.crm.habits import Habit

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life
    from orchestration.demo.crm.portals import Portal
    from orchestration.demo.crm.records import Pipeline, Record, Stage

SERVICES = ("EAP core", "EAP plus", "Physician well being", "Coaching", "Onsite training", "Critical incident")
# Shares of new deals by pipeline, in hundredths.
PIPELINES = (("default", 64), ("25817344", 18), ("31120958", 10), ("28840011", 8))


def habits(portal: Portal) -> list[Habit]:
    sizes, days = portal.sizes, portal.history_days
    deals = sizes.deals / days
    return [
        Habit(deals * 1.09, add_deal),
        Habit(deals * 5.0, advance),
        Habit(deals * 0.8, reprice),
        Habit(deals * 0.06, archive_deal),
        Habit(deals * 0.012, restore_deal),
        Habit(deals * 0.015, merge_deals),
        Habit(deals * 0.05, reopen),
        Habit(sizes.line_items / days, add_line_item),
        Habit(sizes.quotes / days, add_quote),
        Habit(sizes.products / days, change_product),
    ]


def open_products(life: Life) -> None:
    for number in range(life.portal.sizes.products):
        life.crm.create(
            "products",
            life.at,
            {
                "name": f"{SERVICES[number % len(SERVICES)]} {number // len(SERVICES) + 1}",
                "hs_sku": f"VWL-{number:03d}",
                "price": plain(Decimal(life.dice.cents(45_000)).scaleb(-2)),
                "recurringbillingfrequency": life.dice.pick(("monthly", "annually", None)),
            },
        )


def change_product(life: Life) -> None:
    product = life.pick("products")
    if product is not None and life.dice.chance(0.3):
        life.crm.change(product, life.at, price=plain(Decimal(life.dice.cents(45_000)).scaleb(-2)))


def add_deal(life: Life) -> None:
    """A deal in the first stage of a pipeline; a tenth have no amount yet, some are in another currency."""
    dice, crm = life.dice, life.crm
    pipeline = _some_pipeline(life)
    if pipeline is None:
        return
    company, contact = life.pick("companies"), life.pick("contacts", 0.5)
    name = f"{company.get('name') if company else 'Walk-in'} – {dice.pick(SERVICES)}"
    deal = crm.create(
        "deals",
        life.at,
        {
            "dealname": name,
            "pipeline": pipeline.id,
            "dealtype": dice.pick(("newbusiness", "existingbusiness", None)),
            "hubspot_owner_id": life.owner(),
            "closedate": iso(life.at + dice.between(20, 120) * DAY),
            "hs_createdate": iso(life.at),
            "hs_priority": dice.pick(("low", "medium", "high", None)),
        },
    )
    _enter(life, deal, pipeline.stages[0])
    if not dice.chance(0.1):
        _price(life, deal)
    if company is not None:
        crm.link(deal, company, "Primary")
    if contact is not None:
        crm.link(deal, contact, *(("Decision maker",) if dice.chance(0.2) else ()))


def advance(life: Life) -> None:
    """An open deal moves on within its pipeline, or is won, lost or closed in some other way."""
    deal, dice = life.pick("deals", 0.3), life.dice
    pipeline = life.crm.pipeline("deals", deal.get("pipeline")) if deal is not None else None
    if deal is None or pipeline is None:
        return
    stage = pipeline.stage(deal.get("dealstage"))
    if stage is None:
        # Its stage was removed. Most such deals are forgotten where they are.
        if dice.chance(0.02):
            _move(life, deal, pipeline.stages[0])
        return
    if _closed(stage):
        return
    steps = [step for step in pipeline.stages if not _closed(step)]
    ends = [step for step in pipeline.stages if _closed(step)]
    later = steps[steps.index(stage) + 1 :]
    if later and dice.chance(0.7):
        _move(life, deal, later[0])
    elif ends and (later or dice.chance(0.6)):
        likely = Decimal(stage.metadata["probability"]) * 100
        won = dice.between(1, 100) <= likely
        chosen = [end for end in ends if (Decimal(end.metadata["probability"]) > 0) == won]
        _move(life, deal, dice.pick(chosen or ends))


def reprice(life: Life) -> None:
    deal = life.pick("deals", 0.4)
    if deal is None:
        return
    if life.dice.chance(0.04):
        life.crm.change(deal, life.at, amount=None, amount_in_home_currency=None)
    else:
        _price(life, deal)
        life.crm.change(deal, life.at)


def archive_deal(life: Life) -> None:
    deal = life.pick("deals")
    if deal is not None:
        life.crm.archive(deal, life.at)
        life.binned.append(deal)


def restore_deal(life: Life) -> None:
    for record in reversed(life.binned[-30:]):
        if record.kind.plural == "deals" and life.at - (record.archived_at or 0) < 90 * DAY:
            life.crm.restore(record, life.at, touch=life.dice.chance(0.5))
            life.binned.remove(record)
            return


def merge_deals(life: Life) -> None:
    winner, loser = life.pick("deals"), life.pick("deals")
    if winner is not None and loser is not None and winner is not loser:
        life.crm.merge(winner, [loser], life.at, new_record="deals" in life.portal.new_record_merges)


def reopen(life: Life) -> None:
    """A closed deal opens again."""
    deal = life.pick("deals", 0.3)
    pipeline = life.crm.pipeline("deals", deal.get("pipeline")) if deal is not None else None
    stage = pipeline.stage(deal.get("dealstage")) if deal is not None and pipeline is not None else None
    if deal is not None and pipeline is not None and stage is not None and _closed(stage):
        _move(life, deal, pipeline.stages[0])


def add_line_item(life: Life) -> None:
    deal, product, dice = life.pick("deals", 0.2), life.pick("products"), life.dice
    if deal is None or product is None:
        return
    quantity, price = dice.between(1, 40), Decimal(product.get("price") or 0)
    item = life.crm.create(
        "line_items",
        life.at,
        {
            "name": product.get("name"),
            "hs_product_id": product.id,
            "hs_sku": product.get("hs_sku"),
            "quantity": quantity,
            "price": plain(price),
            "amount": calculated(quantity * price),
            "hs_discount_percentage": "12.5" if dice.chance(0.1) else None,
            "hs_line_item_currency_code": deal.get("deal_currency_code"),
        },
    )
    life.crm.link(item, deal)


def add_quote(life: Life) -> None:
    deal = life.pick("deals", 0.2)
    if deal is None:
        return
    quote = life.crm.create(
        "quotes",
        life.at,
        {
            "hs_title": f"Quote for {deal.get('dealname')}",
            "hs_status": life.dice.pick(("DRAFT", "APPROVAL_NOT_NEEDED", "APPROVED", "REJECTED")),
            "hs_expiration_date": iso(life.at + 30 * DAY),
            "hs_quote_amount": deal.get("amount"),
            "hs_currency": deal.get("deal_currency_code") or life.portal.currency,
        },
    )
    life.crm.link(quote, deal)


def _some_pipeline(life: Life) -> Pipeline | None:
    roll = life.dice.between(1, 100)
    for pipeline_id, share in PIPELINES:
        roll -= share
        if roll <= 0:
            return life.crm.pipeline("deals", pipeline_id) or life.crm.pipeline("deals", "default")
    return None


def _price(life: Life, deal: Record) -> None:
    """An amount in the deal's currency and what it comes to in the portal's, which HubSpot does not round."""
    dice = life.dice
    cents = dice.cents(1_800_000)
    if dice.chance(0.6):
        cents -= cents % 10_000
    if dice.chance(0.004):
        cents *= 600
    amount = Decimal(cents).scaleb(-2)
    deal.put("amount", plain(amount), life.at)
    home = amount
    if life.portal.currencies:
        code = deal.get("deal_currency_code") or life.portal.currency
        if "deal_currency_code" not in deal.properties and dice.chance(0.15):
            code = dice.pick([code for code, _ in life.portal.currencies])
        rate = dict(life.portal.currencies).get(code, "1.0")
        deal.put("deal_currency_code", code, life.at)
        deal.put("hs_exchange_rate", rate, life.at)
        home = amount * Decimal(rate)
    deal.put("amount_in_home_currency", calculated(home), life.at)


def _closed(stage: Stage) -> bool:
    return stage.metadata["isClosed"] == "true"


def _move(life: Life, deal: Record, stage: Stage) -> None:
    _enter(life, deal, stage)
    life.crm.change(deal, life.at)


def _enter(life: Life, deal: Record, stage: Stage) -> None:
    at, closed = life.at, _closed(stage)
    probability = Decimal(stage.metadata["probability"])
    deal.put("dealstage", stage.id, at)
    deal.put("hs_deal_stage_probability", str(probability), at)
    deal.put("hs_is_closed", str(closed).lower(), at)
    deal.put("hs_is_closed_won", str(closed and probability == 1).lower(), at)
    if closed:
        deal.put("closedate", iso(at), at)
    entered = f"hs_v2_date_entered_{stage.id}"
    if entered in life.crm.properties["deals"]:
        deal.put(entered, iso(at), at)
