"""The properties each kind of object has by default, as HubSpot's property catalogue lists them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.demo.crm.kinds import KINDS


@dataclass(frozen=True)
class Property:
    """One property. ``type`` is string, number, date, datetime, enumeration or bool; ``options`` are (value, label)."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = ""
    options: tuple[tuple[str, str], ...] = ()
    hubspot_defined: bool = True
    calculated: bool = False
    has_unique_value: bool = False


LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
_FIELD_TYPES = {
    "number": "number",
    "date": "date",
    "datetime": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
}

# Per kind: type -> names. A name that ends in * is calculated by HubSpot.
_COMMON = {
    "number": "hs_object_id*",
    "string": "hs_merged_object_ids* hs_object_source* hs_object_source_label*",
    "enumeration": "hubspot_owner_id hubspot_team_id",
    "datetime": "hubspot_owner_assigneddate*",
}
_NAMES: dict[str, dict[str, str]] = {
    "contacts": {
        "string": "email firstname lastname phone mobilephone jobtitle company website address city state zip country "
        "hs_additional_emails hs_calculated_merged_vids* hs_email_domain* hs_analytics_first_url "
        "hs_full_name_or_email* hs_latest_source_data_1 hs_searchable_calculated_phone_number* hs_timezone salutation "
        "industry",
        "number": "associatedcompanyid num_notes num_contacted_notes num_associated_deals* hubspotscore "
        "hs_analytics_num_visits* hs_analytics_num_page_views* hs_email_delivered hs_email_open hs_email_click "
        "hs_email_bounce annualrevenue numemployees recent_deal_amount* total_revenue*",
        "enumeration": "lifecyclestage hs_lead_status hs_analytics_source hs_latest_source hs_language "
        "hs_marketable_status hs_buying_role",
        "datetime": "createdate lastmodifieddate notes_last_contacted notes_last_updated first_deal_created_date* "
        "recent_conversion_date* hs_last_sales_activity_timestamp closedate",
        "date": "date_of_birth",
        "bool": "hs_email_optout hs_is_unworked* hs_was_imported*",
    },
    "companies": {
        "string": "name domain phone address city state zip country website description hs_additional_domains",
        "number": "annualrevenue numberofemployees num_associated_contacts* num_associated_deals* total_revenue* "
        "hs_parent_company_id",
        "enumeration": "industry lifecyclestage hs_lead_status type",
        "datetime": "createdate hs_lastmodifieddate closedate notes_last_updated first_contact_createdate*",
        "bool": "is_public hs_is_target_account",
    },
    "deals": {
        "string": "dealname description closed_lost_reason closed_won_reason hs_next_step",
        "number": "amount amount_in_home_currency* hs_exchange_rate* hs_acv hs_arr hs_mrr hs_tcv hs_closed_amount* "
        "hs_closed_amount_in_home_currency* hs_deal_stage_probability* hs_forecast_amount hs_projected_amount* "
        "num_associated_contacts* num_notes days_to_close*",
        "enumeration": "dealstage pipeline dealtype hs_priority deal_currency_code hs_analytics_source "
        "hs_manual_forecast_category",
        "datetime": "createdate closedate hs_lastmodifieddate hs_createdate notes_last_updated "
        "hs_date_entered_closedwon* hs_date_entered_closedlost*",
        "bool": "hs_is_closed* hs_is_closed_won* hs_is_closed_lost* hs_is_deal_split",
    },
    "tickets": {
        "string": "subject content",
        "number": "time_to_close* hs_time_to_first_response* num_associated_contacts*",
        "enumeration": "hs_pipeline hs_pipeline_stage hs_ticket_category hs_ticket_priority source_type hs_resolution",
        "datetime": "createdate hs_lastmodifieddate closed_date first_agent_reply_date",
    },
    "products": {
        "string": "name description hs_sku hs_images hs_url",
        "number": "price hs_cost_of_goods_sold tax",
        "enumeration": "recurringbillingfrequency hs_product_type",
        "datetime": "createdate hs_lastmodifieddate",
    },
    "line_items": {
        "string": "name description hs_sku hs_line_item_currency_code",
        "number": "quantity price amount discount hs_discount_percentage hs_product_id hs_position_on_quote tax",
        "enumeration": "recurringbillingfrequency",
        "datetime": "createdate hs_lastmodifieddate",
        "date": "hs_recurring_billing_start_date",
    },
    "quotes": {
        "string": "hs_title hs_terms hs_quote_number* hs_sender_email",
        "number": "hs_quote_amount*",
        "enumeration": "hs_status hs_currency hs_language hs_template_type",
        "datetime": "hs_createdate hs_lastmodifieddate hs_expiration_date",
        "bool": "hs_esign_enabled hs_payment_enabled",
    },
    "feedback_submissions": {
        "string": "hs_content hs_survey_id hs_survey_name hs_response_group*",
        "number": "hs_value",
        "enumeration": "hs_survey_type hs_survey_channel hs_sentiment",
        "datetime": "hs_createdate hs_lastmodifieddate hs_submission_timestamp",
    },
    "calls": {
        "string": "hs_call_title hs_call_body hs_call_from_number hs_call_to_number hs_call_recording_url",
        "number": "hs_call_duration hs_created_by hs_modified_by",
        "enumeration": "hs_call_direction hs_call_disposition hs_call_status hs_activity_type",
        "datetime": "hs_createdate hs_lastmodifieddate hs_timestamp",
    },
    "emails": {
        "string": "hs_email_subject hs_email_text hs_email_html hs_email_headers hs_email_from_email hs_email_to_email",
        "number": "hs_email_open_count* hs_email_click_count* hs_created_by hs_modified_by",
        "enumeration": "hs_email_direction hs_email_status",
        "datetime": "hs_createdate hs_lastmodifieddate hs_timestamp",
    },
    "meetings": {
        "string": "hs_meeting_title hs_meeting_body hs_internal_meeting_notes hs_meeting_location",
        "number": "hs_created_by hs_modified_by",
        "enumeration": "hs_meeting_outcome hs_activity_type",
        "datetime": "hs_createdate hs_lastmodifieddate hs_timestamp hs_meeting_start_time hs_meeting_end_time",
    },
    "tasks": {
        "string": "hs_task_subject hs_task_body",
        "number": "hs_created_by hs_modified_by",
        "enumeration": "hs_task_status hs_task_priority hs_task_type",
        "datetime": "hs_createdate hs_lastmodifieddate hs_timestamp hs_task_completion_date",
        "bool": "hs_task_is_all_day",
    },
    "goal_targets": {
        "string": "hs_goal_name hs_group_correlation_uuid*",
        "number": "hs_target_amount hs_kpi_value* hs_created_by_user_id hs_assignee_user_id",
        "enumeration": "hs_kpi_unit_type hs_status*",
        "datetime": "hs_createdate hs_lastmodifieddate hs_start_datetime hs_end_datetime",
    },
}
_OPTIONS = {
    "lifecyclestage": LIFECYCLE,
    "hs_lead_status": tuple(
        (value, value.title().replace("_", " ")) for value in ("NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED")
    ),
    "hs_ticket_priority": tuple((value, value.title()) for value in ("LOW", "MEDIUM", "HIGH", "URGENT")),
}


def catalogue(kind: str) -> dict[str, Property]:
    """A fresh copy of a kind's default properties by name."""
    group = f"{KINDS[kind].singular}information"
    properties = {}
    for names in (_COMMON, _NAMES[kind]):
        for type_name, listed in names.items():
            for entry in listed.split():
                name = entry.rstrip("*")
                properties[name] = Property(
                    name=name,
                    label=name.removeprefix("hs_").replace("_", " ").capitalize(),
                    type=type_name,
                    field_type=_FIELD_TYPES.get(type_name, "text"),
                    group=group,
                    options=_OPTIONS.get(name, ()),
                    calculated=entry != name,
                    has_unique_value=name in ("hs_object_id", "email") and kind == "contacts",
                )
    return properties


def custom(name: str, label: str, type_name: str = "string", options: tuple[tuple[str, str], ...] = ()) -> Property:
    """A property of the portal's own."""
    return Property(
        name, label, type_name, _FIELD_TYPES.get(type_name, "text"), "custom", options, hubspot_defined=False
    )
