// Derived from the migrations by `cargo test schema` (see tests/it/schema.rs); do not edit.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    api_tokens (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        prefix -> Text,
        secret_hash -> Text,
        previous_hash -> Nullable<Text>,
        previous_until -> Nullable<Moment>,
        operations -> Nullable<Doc>,
        expires_at -> Moment,
        rotated_at -> Nullable<Moment>,
        revoked_at -> Nullable<Moment>,
        last_used_at -> Nullable<Moment>,
        created_by -> Uid,
        created_by_name -> Text,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    assignments (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        round -> Integer,
        position -> Integer,
        role -> Text,
        unit_id -> Uid,
        unit_name -> Text,
        status -> Text,
        version -> Integer,
        part -> Nullable<Text>,
        returnable -> Bool,
        deemed -> Bool,
        accepted_at -> Nullable<Moment>,
        clerk_name -> Nullable<Text>,
        clerk_phone -> Nullable<Text>,
        opinion_missing -> Bool,
        opinions -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
        carried_over -> Bool,
        replaced_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    attachments (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        version -> Integer,
        status -> Text,
        name -> Text,
        file_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Text,
        stored -> Bool,
        bound_kind -> Nullable<Text>,
        bound_id -> Nullable<Uid>,
        bound_rater_id -> Nullable<Uid>,
        uploaded_by -> Uid,
        created_at -> Moment,
        bound_at -> Nullable<Moment>,
        removed_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    audit_checks (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        requested_by -> Uid,
        status -> Text,
        head_number -> Nullable<Integer>,
        head_hash -> Nullable<Text>,
        report -> Doc,
        created_at -> Moment,
        finished_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    audit_seal_heads (committee_id, stream_id, seq) {
        committee_id -> Uid,
        stream_id -> Uid,
        seq -> Integer,
        hash -> Text,
        seal_number -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    audit_seals (committee_id, number) {
        committee_id -> Uid,
        number -> Integer,
        sealed_at -> Moment,
        until_id -> Uid,
        events -> BigInt,
        streams -> BigInt,
        root -> Text,
        prev_hash -> Text,
        hash -> Text,
        kid -> Text,
        signature -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    calendar_days (committee_id, version, day) {
        committee_id -> Uid,
        version -> Integer,
        day -> Day,
        kind -> Text,
        name -> Nullable<Text>,
        source_note -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    calendars (committee_id, version) {
        committee_id -> Uid,
        version -> Integer,
        source_note -> Text,
        changed_from -> Day,
        changed_until -> Day,
        imported_by -> Uid,
        imported_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    case_links (committee_id, proposal_id, other_id, kind) {
        committee_id -> Uid,
        proposal_id -> Uid,
        other_id -> Uid,
        kind -> Text,
        note -> Nullable<Text>,
        created_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    case_marks (committee_id, proposal_id) {
        committee_id -> Uid,
        proposal_id -> Uid,
        archived_at -> Nullable<Moment>,
        tier -> Nullable<Text>,
        publish_text -> Nullable<Text>,
        publish_replies -> Nullable<Text>,
        disposed_at -> Nullable<Moment>,
        open_for_seconding -> Bool,
        has_requests -> Bool,
        has_consultations -> Bool,
        has_absorbed -> Bool,
        programme_year -> Nullable<Integer>,
        published_text -> Nullable<Text>,
        text_published_at -> Nullable<Moment>,
        published_replies -> Nullable<Text>,
        replies_published_at -> Nullable<Moment>,
        has_follow_ups -> Bool,
        has_referrals -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    clocks (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        kind -> Text,
        subject_id -> Uid,
        started_at -> Moment,
        time_limit -> Text,
        profile_version -> Integer,
        calendar_version -> Integer,
        provisional -> Bool,
        original_due -> Moment,
        due_at -> Moment,
        stopped_at -> Nullable<Moment>,
        changes -> Doc,
        wake_at -> Nullable<Moment>,
        woken -> Bool,
        unit_id -> Nullable<Uid>,
        line -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    co_opinions (committee_id, assignment_id, version) {
        committee_id -> Uid,
        proposal_id -> Uid,
        assignment_id -> Uid,
        version -> Integer,
        content -> Doc,
        submitted_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    committees (id) {
        id -> Uid,
        parent_id -> Nullable<Uid>,
        code -> Text,
        name -> Text,
        level -> Text,
        region -> Text,
        active -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
        calendar_version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    consultations (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        round -> Integer,
        form -> Text,
        held_on -> Day,
        content -> Doc,
        recorded_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    contacts (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        assignment_id -> Uid,
        content -> Doc,
        recorded_by -> Uid,
        created_at -> Moment,
        way -> Text,
        objection -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    countersign_requests (committee_id, reply_id, assignment_id, attempt) {
        committee_id -> Uid,
        reply_id -> Uid,
        assignment_id -> Uid,
        attempt -> Integer,
        proposal_id -> Uid,
        status -> Text,
        content_hash -> Text,
        remarks -> Nullable<Text>,
        signatory -> Nullable<Text>,
        answered_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    decisions (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        kind -> Text,
        round -> Integer,
        content -> Doc,
        decided_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    deliveries (committee_id, reply_id, proposal_id) {
        committee_id -> Uid,
        reply_id -> Uid,
        proposal_id -> Uid,
        delivered_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    duties (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        audience -> Text,
        action -> Text,
        subject_kind -> Text,
        subject_id -> Uid,
        due_at -> Moment,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    events (committee_id, stream_id, seq) {
        committee_id -> Uid,
        stream_id -> Uid,
        seq -> Integer,
        id -> Uid,
        stream_kind -> Text,
        at -> Moment,
        actor_id -> Nullable<Uid>,
        actor_name -> Text,
        actor_role -> Text,
        on_behalf_of -> Nullable<Text>,
        name -> Text,
        rule -> Nullable<Text>,
        request_id -> Nullable<Uid>,
        content -> Doc,
        prev_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    feed (committee_id, position) {
        committee_id -> Uid,
        position -> BigInt,
        stream_id -> Uid,
        stream_kind -> Text,
        seq -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    feedback_forms (committee_id, reply_id, rater_id, version) {
        committee_id -> Uid,
        proposal_id -> Uid,
        reply_id -> Uid,
        rater_id -> Uid,
        version -> Integer,
        round -> Integer,
        attitude -> Text,
        result -> Text,
        late -> Bool,
        content -> Doc,
        entered_by -> Uid,
        by_staff -> Bool,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    follow_ups (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        position -> Integer,
        act_id -> Uid,
        kind -> Text,
        status -> Text,
        unit_id -> Nullable<Uid>,
        rater_id -> Nullable<Uid>,
        promise_id -> Nullable<Uid>,
        due_on -> Nullable<Day>,
        restricted -> Bool,
        content -> Doc,
        recorded_by -> Uid,
        created_at -> Moment,
        answer -> Nullable<Text>,
        answered_by -> Nullable<Uid>,
        answered_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    idempotency_keys (committee_id, principal_id, operation, idempotency_key) {
        committee_id -> Uid,
        principal_id -> Uid,
        operation -> Text,
        idempotency_key -> Text,
        request_hash -> Text,
        status -> Integer,
        body -> Doc,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        created_at -> Moment,
        answer -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    incoming_referrals (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        sender_id -> Uid,
        sender_name -> Text,
        sender_proposal_id -> Uid,
        direction -> Text,
        status -> Text,
        version -> Integer,
        content -> Doc,
        received_at -> Moment,
        proposal_id -> Nullable<Uid>,
        note -> Nullable<Text>,
        answered_by -> Nullable<Uid>,
        answered_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    jobs (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        kind -> Text,
        lane -> Text,
        job_key -> Text,
        payload -> Doc,
        run_at -> Moment,
        again_at -> Nullable<Moment>,
        attempts -> Integer,
        lease_id -> Nullable<Uid>,
        last_error -> Nullable<Text>,
        dead_at -> Nullable<Moment>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    mails (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        user_id -> Uid,
        kind -> Text,
        mail_key -> Text,
        status -> Text,
        last_answer -> Nullable<Text>,
        created_at -> Moment,
        finished_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    members (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        term_id -> Uid,
        member_no -> Text,
        name -> Text,
        sector -> Text,
        party -> Nullable<Text>,
        organisation_id -> Nullable<Uid>,
        post -> Nullable<Text>,
        phone -> Nullable<Text>,
        active -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    merges (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        main_id -> Uid,
        before -> Doc,
        content -> Doc,
        decided_by -> Uid,
        merged_at -> Moment,
        unmerged_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    notification_settings (committee_id, user_id) {
        committee_id -> Uid,
        user_id -> Uid,
        email -> Nullable<Text>,
        language -> Text,
        choices -> Doc,
        version -> Integer,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    notifications (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        user_id -> Uid,
        topic -> Text,
        topic_group -> Text,
        source_key -> Text,
        proposal_id -> Uid,
        detail -> Doc,
        created_at -> Moment,
        read_at -> Nullable<Moment>,
        digest_on -> Nullable<Day>,
        mail_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    number_series (committee_id, series) {
        committee_id -> Uid,
        series -> Text,
        last_number -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    openid_flows (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        provider_id -> Uid,
        ticket_hash -> Text,
        nonce -> Text,
        code_verifier -> Text,
        provider_version -> Integer,
        created_at -> Moment,
        expires_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    openid_links (committee_id, provider_id, user_id) {
        committee_id -> Uid,
        provider_id -> Uid,
        user_id -> Uid,
        subject -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    openid_providers (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        name -> Text,
        issuer -> Text,
        client_id -> Text,
        client_secret -> Nullable<Text>,
        redirect_uri -> Text,
        claim -> Text,
        second_factor -> Nullable<Text>,
        enabled -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    opinions (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        submission_no -> Integer,
        stage -> Text,
        examiner_id -> Uid,
        recommendation -> Text,
        content -> Doc,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    organisations (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        name -> Text,
        kind -> Text,
        contact_person -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        address -> Nullable<Text>,
        post_code -> Nullable<Text>,
        active -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    outbox (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        position -> BigInt,
        stream_id -> Uid,
        stream_kind -> Text,
        first_seq -> Integer,
        last_seq -> Integer,
        told -> Doc,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    password_history (committee_id, user_id, number) {
        committee_id -> Uid,
        user_id -> Uid,
        number -> Integer,
        password_hash -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    password_policies (committee_id) {
        committee_id -> Uid,
        profile -> Text,
        min_length -> Integer,
        min_classes -> Integer,
        max_age_days -> Nullable<Integer>,
        history -> Integer,
        lock_after_failures -> Nullable<Integer>,
        lock_minutes -> Integer,
        idle_minutes -> Nullable<Integer>,
        version -> Integer,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    policy_profiles (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        session_id -> Nullable<Uid>,
        profile_version -> Integer,
        status -> Text,
        settings -> Doc,
        note -> Nullable<Text>,
        drafted_by -> Nullable<Uid>,
        drafted_at -> Moment,
        activated_by -> Nullable<Uid>,
        activated_at -> Nullable<Moment>,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    promises (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        reply_id -> Uid,
        unit_id -> Uid,
        status -> Text,
        text -> Text,
        person -> Text,
        due_on -> Day,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    proposal_texts (committee_id, proposal_id, version) {
        committee_id -> Uid,
        proposal_id -> Uid,
        version -> Integer,
        form -> Doc,
        content_hash -> Text,
        created_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    proposals (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        term_id -> Uid,
        session_id -> Uid,
        kind -> Text,
        status -> Text,
        version -> Integer,
        round -> Integer,
        serial_no -> Nullable<Integer>,
        case_no -> Nullable<Integer>,
        session_mark -> Nullable<Text>,
        title -> Text,
        title_folded -> Text,
        subject_class -> Nullable<Text>,
        assigning_line -> Nullable<Text>,
        handling_kind -> Nullable<Text>,
        secrecy -> Text,
        urgency -> Text,
        text_version -> Integer,
        submitted_version -> Integer,
        submission_no -> Integer,
        profile_version -> Integer,
        organisation_id -> Nullable<Uid>,
        main_id -> Nullable<Uid>,
        created_by -> Uid,
        filed_at -> Nullable<Moment>,
        status_since -> Moment,
        created_at -> Moment,
        updated_at -> Moment,
        event_seq -> Integer,
        event_hash -> Text,
        case_series -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    proposers (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        position -> Integer,
        role -> Text,
        status -> Text,
        member_id -> Nullable<Uid>,
        organisation_id -> Nullable<Uid>,
        name -> Text,
        sector -> Nullable<Text>,
        party -> Nullable<Text>,
        member_no -> Nullable<Text>,
        consented_version -> Nullable<Integer>,
        comment -> Nullable<Text>,
        decided_at -> Nullable<Moment>,
        created_at -> Moment,
        excused -> Nullable<Text>,
        waived_round -> Nullable<Integer>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    recovery_codes (committee_id, user_id, code_hash) {
        committee_id -> Uid,
        user_id -> Uid,
        code_hash -> Text,
        created_at -> Moment,
        used_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    referrals (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        direction -> Text,
        target_id -> Nullable<Uid>,
        body -> Text,
        status -> Text,
        reason -> Text,
        sent_by -> Uid,
        sent_at -> Moment,
        counterpart_id -> Nullable<Uid>,
        answer -> Nullable<Doc>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    refresh_tokens (committee_id, token_hash) {
        committee_id -> Uid,
        sign_in_id -> Uid,
        token_hash -> Text,
        issued_at -> Moment,
        used_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    refusal_reasons (committee_id, code) {
        committee_id -> Uid,
        code -> Text,
        label_zh -> Text,
        label_en -> Text,
        national -> Bool,
        hide_text -> Bool,
        built_in -> Bool,
        status -> Text,
        position -> Integer,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    refusal_uses (committee_id, proposal_id, act, code) {
        committee_id -> Uid,
        proposal_id -> Uid,
        act -> Text,
        code -> Text,
        position -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    replies (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        assignment_id -> Uid,
        unit_id -> Uid,
        round -> Integer,
        status -> Text,
        version -> Integer,
        text_version -> Integer,
        approved -> Bool,
        unit_outcome -> Nullable<Text>,
        reviewer_outcome -> Nullable<Text>,
        current_outcome -> Nullable<Text>,
        document_prefix -> Nullable<Text>,
        document_year -> Nullable<Integer>,
        document_number -> Nullable<Integer>,
        signed_by -> Nullable<Uid>,
        signatory -> Nullable<Text>,
        signed_hash -> Nullable<Text>,
        signed_at -> Nullable<Moment>,
        reviewed_by -> Nullable<Uid>,
        review_note -> Nullable<Text>,
        delivered_at -> Nullable<Moment>,
        created_at -> Moment,
        updated_at -> Moment,
        coordinated_hash -> Nullable<Text>,
        coordination -> Nullable<Text>,
        signed_by_head -> Bool,
        rejected_hash -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    reply_texts (committee_id, reply_id, version) {
        committee_id -> Uid,
        reply_id -> Uid,
        version -> Integer,
        form -> Doc,
        content_hash -> Text,
        created_by -> Uid,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    request_budgets (committee_id, user_id, budget) {
        committee_id -> Uid,
        user_id -> Uid,
        budget -> Text,
        window_at -> Moment,
        taken -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    requests (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        proposal_id -> Uid,
        assignment_id -> Nullable<Uid>,
        kind -> Text,
        status -> Text,
        escalated -> Bool,
        form -> Doc,
        decision -> Nullable<Doc>,
        requested_by -> Uid,
        requested_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    seal_keys (kid) {
        kid -> Text,
        private_key -> Nullable<Binary>,
        public_key -> Binary,
        created_at -> Moment,
        retired_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    second_factors (committee_id, user_id) {
        committee_id -> Uid,
        user_id -> Uid,
        secret -> Text,
        confirmed_at -> Nullable<Moment>,
        last_step -> BigInt,
        failures -> Integer,
        held_until -> Nullable<Moment>,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    sessions (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        term_id -> Uid,
        number -> Integer,
        name -> Text,
        window_opens_on -> Day,
        opens_on -> Day,
        deadline_at -> Moment,
        ends_on -> Day,
        examination_until -> Day,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    sign_in_challenges (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        user_id -> Uid,
        ticket_hash -> Text,
        account_version -> Integer,
        created_at -> Moment,
        expires_at -> Moment,
        used_at -> Nullable<Moment>,
        provider_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    sign_in_throttles (committee_id, subject) {
        committee_id -> Uid,
        subject -> Text,
        failures -> Integer,
        refused -> Integer,
        counted_from -> Moment,
        last_failure_at -> Moment,
        blocked_until -> Nullable<Moment>,
        noted_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    sign_ins (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        user_id -> Uid,
        created_at -> Moment,
        expires_at -> Moment,
        ended_at -> Nullable<Moment>,
        end_reason -> Nullable<Text>,
        last_seen_at -> Nullable<Moment>,
        second_factor_at -> Nullable<Moment>,
        provider_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    signing_keys (kid) {
        kid -> Text,
        private_key -> Binary,
        public_key -> Binary,
        refresh_secret -> Binary,
        created_at -> Moment,
        retired_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    terms (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        number -> Integer,
        name -> Text,
        starts_on -> Day,
        ends_on -> Day,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    trackings (committee_id, proposal_id) {
        committee_id -> Uid,
        proposal_id -> Uid,
        started_at -> Moment,
        stopped_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    units (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        name -> Text,
        system_line -> Text,
        reply_prefix -> Text,
        contact_person -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        active -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
        successor_id -> Nullable<Uid>,
        succeeded_at -> Nullable<Moment>,
        succession_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    user_roles (committee_id, user_id, position) {
        committee_id -> Uid,
        user_id -> Uid,
        position -> Integer,
        role -> Text,
        unit_id -> Nullable<Uid>,
        organisation_id -> Nullable<Uid>,
        line -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    users (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        username -> Text,
        display_name -> Text,
        member_id -> Nullable<Uid>,
        password_hash -> Nullable<Text>,
        must_change_password -> Bool,
        password_changed_at -> Nullable<Moment>,
        disabled -> Bool,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
        machine -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    webhook_attempts (committee_id, delivery_id, number) {
        committee_id -> Uid,
        delivery_id -> Uid,
        number -> Integer,
        at -> Moment,
        millis -> Integer,
        http_status -> Nullable<Integer>,
        error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    webhook_deliveries (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        webhook_id -> Uid,
        event -> Text,
        event_id -> Nullable<Uid>,
        body -> Text,
        status -> Text,
        attempts -> Integer,
        tries -> Integer,
        next_at -> Nullable<Moment>,
        sent_at -> Moment,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::sql_types::{Day, Doc, Moment, Uid};

    webhooks (committee_id, id) {
        committee_id -> Uid,
        id -> Uid,
        url -> Text,
        events -> Doc,
        description -> Text,
        reads_as -> Doc,
        status -> Text,
        disabled_reason -> Nullable<Text>,
        secret -> Text,
        old_secret -> Nullable<Text>,
        old_secret_until -> Nullable<Moment>,
        position -> BigInt,
        failures -> Integer,
        held_until -> Nullable<Moment>,
        last_success_at -> Nullable<Moment>,
        last_failure_at -> Nullable<Moment>,
        version -> Integer,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_tokens,
    assignments,
    attachments,
    audit_checks,
    audit_seal_heads,
    audit_seals,
    calendar_days,
    calendars,
    case_links,
    case_marks,
    clocks,
    co_opinions,
    committees,
    consultations,
    contacts,
    countersign_requests,
    decisions,
    deliveries,
    duties,
    events,
    feed,
    feedback_forms,
    follow_ups,
    idempotency_keys,
    incoming_referrals,
    jobs,
    mails,
    members,
    merges,
    notification_settings,
    notifications,
    number_series,
    openid_flows,
    openid_links,
    openid_providers,
    opinions,
    organisations,
    outbox,
    password_history,
    password_policies,
    policy_profiles,
    promises,
    proposal_texts,
    proposals,
    proposers,
    recovery_codes,
    referrals,
    refresh_tokens,
    refusal_reasons,
    refusal_uses,
    replies,
    reply_texts,
    request_budgets,
    requests,
    seal_keys,
    second_factors,
    sessions,
    sign_in_challenges,
    sign_in_throttles,
    sign_ins,
    signing_keys,
    terms,
    trackings,
    units,
    user_roles,
    users,
    webhook_attempts,
    webhook_deliveries,
    webhooks,
);
