//! The documented fields, and where each is shown.

/// An event's fields that follow from its invitees', or from others of its own.
const CANCELS: [&str; 8] = [
    "/event/status",
    "/event/cancellation",
    "/invitee/status",
    "/invitee/canceled",
    "/invitee/cancellation",
    "/invitee/rescheduled",
    "/invitee/rescheduledTo",
    "/sent/moved",
];

/// Each documented field of a body about an invitee, and where it is shown. Those that name what a
/// body is about are not here: without them there is nothing to apply.
pub(super) const FIELDS: &[(&str, &[&str])] = &[
    // A time that lies after the message that tells it isn't believed.
    (
        "/created_at",
        &[
            "/sent/createdAt",
            "/invitee/updatedAt",
            "/invitee/noShowAt",
            "/sent/mark",
            "/event/updatedAt",
        ],
    ),
    ("/created_by", &["/event/connection", "/sent/connection"]),
    ("/payload/email", &["/invitee/email"]),
    ("/payload/name", &["/invitee/name"]),
    ("/payload/first_name", &["/invitee/firstName"]),
    ("/payload/last_name", &["/invitee/lastName"]),
    ("/payload/status", &CANCELS),
    ("/payload/questions_and_answers", &["/invitee/answers"]),
    ("/payload/questions_and_answers/0", &["/invitee/answers"]),
    (
        "/payload/questions_and_answers/0/question",
        &["/invitee/answers/0/question"],
    ),
    (
        "/payload/questions_and_answers/0/answer",
        &["/invitee/answers/0/answer"],
    ),
    (
        "/payload/questions_and_answers/0/position",
        &["/invitee/answers/0/position"],
    ),
    (
        "/payload/timezone",
        &["/invitee/timezone", "/event/timezone"],
    ),
    ("/payload/event", &[]),
    ("/payload/created_at", &["/invitee/createdAt"]),
    ("/payload/updated_at", &["/invitee/updatedAt"]),
    ("/payload/tracking", &["/invitee/tracking"]),
    (
        "/payload/tracking/utm_campaign",
        &["/invitee/tracking/utmCampaign"],
    ),
    (
        "/payload/tracking/salesforce_uuid",
        &["/invitee/tracking/salesforceUuid"],
    ),
    (
        "/payload/text_reminder_number",
        &["/invitee/textReminderNumber"],
    ),
    ("/payload/rescheduled", &CANCELS),
    (
        "/payload/old_invitee",
        &["/invitee/rescheduledFrom", "/invitee/root", "/sent/moved"],
    ),
    ("/payload/new_invitee", &CANCELS),
    ("/payload/cancel_url", &["/invitee/cancelUrl"]),
    ("/payload/reschedule_url", &["/invitee/rescheduleUrl"]),
    (
        "/payload/routing_form_submission",
        &["/invitee/routingFormSubmission"],
    ),
    ("/payload/cancellation", &CANCELS),
    (
        "/payload/cancellation/canceled_by",
        &["/invitee/cancellation/by"],
    ),
    (
        "/payload/cancellation/reason",
        &["/invitee/cancellation/reason"],
    ),
    (
        "/payload/cancellation/canceler_type",
        &["/invitee/cancellation/byType"],
    ),
    (
        "/payload/cancellation/created_at",
        &["/invitee/cancellation/at"],
    ),
    ("/payload/payment", &["/invitee/payment"]),
    (
        "/payload/payment/external_id",
        &["/invitee/payment/externalId"],
    ),
    ("/payload/payment/provider", &["/invitee/payment/provider"]),
    ("/payload/payment/amount", &["/invitee/payment/amount"]),
    ("/payload/payment/currency", &["/invitee/payment/currency"]),
    ("/payload/payment/terms", &["/invitee/payment/terms"]),
    (
        "/payload/payment/successful",
        &["/invitee/payment/successful"],
    ),
    (
        "/payload/no_show",
        &["/invitee/noShow", "/invitee/noShowAt", "/sent/mark"],
    ),
    ("/payload/no_show/uri", &["/sent/mark"]),
    (
        "/payload/no_show/created_at",
        &["/invitee/noShowAt", "/sent/mark"],
    ),
    ("/payload/reconfirmation", &["/invitee/reconfirmation"]),
    (
        "/payload/reconfirmation/created_at",
        &["/invitee/reconfirmation/createdAt"],
    ),
    (
        "/payload/reconfirmation/confirmed_at",
        &["/invitee/reconfirmation/confirmedAt"],
    ),
    ("/payload/scheduling_method", &["/invitee/schedulingMethod"]),
    ("/payload/invitee_scheduled_by", &["/invitee/scheduledBy"]),
    ("/payload/scheduled_event", &["/event"]),
    ("/payload/scheduled_event/uri", &[]),
    ("/payload/scheduled_event/name", &["/event/name"]),
    (
        "/payload/scheduled_event/meeting_notes_plain",
        &["/event/notes"],
    ),
    ("/payload/scheduled_event/status", &CANCELS),
    (
        "/payload/scheduled_event/start_time",
        &["/event/startTime", "/event/endTime"],
    ),
    ("/payload/scheduled_event/end_time", &["/event/endTime"]),
    ("/payload/scheduled_event/event_type", &["/event/eventType"]),
    ("/payload/scheduled_event/location", &["/event/location"]),
    (
        "/payload/scheduled_event/location/join_url",
        &["/event/location/joinUrl"],
    ),
    (
        "/payload/scheduled_event/invitees_counter",
        &["/event/inviteesCounter", "/event/status"],
    ),
    (
        "/payload/scheduled_event/invitees_counter/total",
        &["/event/inviteesCounter/total"],
    ),
    (
        "/payload/scheduled_event/invitees_counter/active",
        &["/event/inviteesCounter/active"],
    ),
    (
        "/payload/scheduled_event/invitees_counter/limit",
        &["/event/inviteesCounter/limit", "/event/status"],
    ),
    ("/payload/scheduled_event/created_at", &["/event/createdAt"]),
    ("/payload/scheduled_event/updated_at", &["/event/updatedAt"]),
    (
        "/payload/scheduled_event/event_memberships",
        &["/event/hosts"],
    ),
    (
        "/payload/scheduled_event/event_memberships/0",
        &["/event/hosts"],
    ),
    (
        "/payload/scheduled_event/event_memberships/0/user",
        &["/event/hosts/0/uri"],
    ),
    (
        "/payload/scheduled_event/event_memberships/0/user_name",
        &["/event/hosts/0/name"],
    ),
    (
        "/payload/scheduled_event/event_memberships/0/user_email",
        &["/event/hosts/0/email"],
    ),
    ("/payload/scheduled_event/event_guests", &["/event/guests"]),
    (
        "/payload/scheduled_event/event_guests/0",
        &["/event/guests"],
    ),
    (
        "/payload/scheduled_event/event_guests/0/email",
        &["/event/guests"],
    ),
    ("/payload/scheduled_event/cancellation", &CANCELS),
];

/// The same of a routing form's submission.
pub(super) const FORM_FIELDS: &[(&str, &[&str])] = &[
    ("/created_at", &["/sent/createdAt", "/sent/updatedAt"]),
    ("/created_by", &["/sent/connection"]),
    ("/payload/routing_form", &["/form/form"]),
    ("/payload/questions_and_answers", &["/form/answers"]),
    ("/payload/questions_and_answers/1", &["/form/answers"]),
    (
        "/payload/questions_and_answers/1/question_uuid",
        &["/form/answers/1/questionUuid"],
    ),
    (
        "/payload/questions_and_answers/1/question",
        &["/form/answers/1/question"],
    ),
    (
        "/payload/questions_and_answers/1/answer",
        &["/form/answers/1/answer"],
    ),
    ("/payload/tracking", &["/form/tracking"]),
    (
        "/payload/tracking/utm_source",
        &["/form/tracking/utmSource"],
    ),
    ("/payload/result", &["/form/result"]),
    ("/payload/result/value", &["/form/result/value"]),
    ("/payload/submitter", &["/sent/submitter"]),
    ("/payload/created_at", &["/form/createdAt"]),
    ("/payload/updated_at", &["/sent/updatedAt"]),
];
