//! The spine: submitted → filed → assigned → handled → feedback → closed.

use serde_json::json;

use crate::support::TestApp;

/// What a member needs to write.
pub fn form() -> serde_json::Value {
    json!({
        "title": "关于优化老城区公交微循环线路的提案",
        "situation": "老城区部分道路狭窄，常规公交难以驶入，居民出行最后一公里问题突出。",
        "analysis": "现有线路以干道为主，站点覆盖率不足，接驳不便。",
        "suggestions": ["开通两条社区微循环线路。", "在菜市场、医院增设临时停靠点。"],
        "publish_consent": true,
        "no_secret_declaration": true
    })
}

#[actix_web::test]
async fn a_sole_case_goes_from_draft_to_closed() {
    let app = TestApp::start().await;
    let town = app.town().await;
    let member = app.signed_in(&town, &town.members[0]);
    let draft = member
        .post("/api/v1/proposals")
        .json(json!({ "kind": "individual", "form": form() }))
        .send()
        .await
        .status(201);
    let proposal = format!("/api/v1/proposals/{}", draft.id());
    // PT06
    let submitted = member
        .post(&format!("{proposal}/actions/submit"))
        .if_match(draft.version())
        .json(json!({}))
        .send()
        .await
        .status(200);
    assert_eq!(submitted.json["status"], "submitted");
    assert_eq!(submitted.json["serial_no"], 1);
    assert_eq!(submitted.json["session_mark"], "session");
    // PT14 twice, by two people
    for (n, stage) in ["preliminary", "second"].iter().enumerate() {
        let examiner = app.signed_in(&town, &town.examiners[n]);
        let desk = examiner.get("/api/v1/desk").send().await.ok();
        assert_eq!(desk.json["items"][0]["task"], "examine", "{desk}");
        let reply = examiner
            .post(&format!("{proposal}/actions/examine"))
            .header("If-Match", "*")
            .json(json!({
                "opinion": "一事一案，建议立案。",
                "recommendation": "file",
                "checklist": { "standing": true, "content": true, "form": true },
                "subject_class": "social",
                "draft_units": [town.units[0]],
            }))
            .send()
            .await
            .status(200);
        assert_eq!(reply.json["opinions"][n]["stage"], *stage);
    }
    // PT15
    let chair = app.signed_in(&town, &town.chair);
    let filed = chair
        .post(&format!("{proposal}/actions/file"))
        .header("If-Match", "*")
        .json(json!({ "meeting": { "name": "提案审查委员会全体会议", "date": "2026-03-02" } }))
        .send()
        .await
        .status(200);
    assert_eq!(filed.json["status"], "filed");
    assert_eq!(filed.json["case_no"], 1);
    assert_eq!(filed.json["assigning_line"], "government");
    // PT19
    let officer = app.signed_in(&town, &town.officer);
    let assigned = officer
        .post(&format!("{proposal}/actions/assign"))
        .header("If-Match", "*")
        .json(json!({ "handling_kind": "sole", "rows": [{ "unit_id": town.units[0], "role": "lead" }] }))
        .send()
        .await
        .status(200);
    assert_eq!(assigned.json["phase"], "awaiting_acceptance");
    let row = format!("/api/v1/assignments/{}", assigned.text("/assignments/0/id"));
    // AT02, AT09
    let clerk = app.signed_in(&town, &town.unit_clerks[0]);
    let accepted = clerk
        .post(&format!("{row}/actions/accept"))
        .if_match(1)
        .json(json!({ "clerk_name": "陈思源", "clerk_phone": "0599-5550145" }))
        .send()
        .await
        .status(200);
    assert_eq!(accepted.json["status"], "accepted");
    assert_eq!(accepted.json["proposal"]["phase"], "in_handling");
    clerk
        .post(&format!("{row}/actions/record-contact"))
        .if_match(accepted.version())
        .json(json!({
            "way": "face_to_face", "date": "2026-03-02", "persons": "林涛、陈思源；提案者",
            "said": "听取意见。", "proposer_view": "认可。",
        }))
        .send()
        .await
        .status(200);
    // RT01
    let drafted = clerk
        .post(&format!("{row}/replies"))
        .header("If-Match", "*")
        .json(json!({
            "outcome": "resolved", "digest": "已解决。", "body": "您的提案收悉，现答复如下……",
            "leader": "林涛", "clerk": "陈思源", "phone": "0599-5550145", "publication": "full",
        }))
        .send()
        .await
        .status(201);
    let reply = drafted.text_header("location").to_owned();
    // RT06, RT07, RT09
    let signatory = app.signed_in(&town, &town.signatories[0]);
    let signed = signatory
        .post(&format!("{reply}/actions/sign"))
        .if_match(1)
        .json(json!({ "signatory": "林涛" }))
        .send()
        .await
        .status(200);
    assert_eq!(signed.json["document_no"], "云交提复〔2026〕1号");
    let supervision = app.signed_in(&town, &town.supervision);
    supervision
        .post(&format!("{reply}/actions/approve"))
        .if_match(signed.version())
        .json(json!({}))
        .send()
        .await
        .status(200);
    let delivered = clerk
        .post(&format!("{reply}/actions/deliver"))
        .header("If-Match", "*")
        .send()
        .await
        .status(200);
    assert_eq!(delivered.json["proposal"]["status"], "handled");
    // PT22, PT23
    let rated = member
        .post(&format!("{proposal}/actions/give-feedback"))
        .header("If-Match", "*")
        .json(json!({
            "reply_id": drafted.id(), "attitude": "satisfied", "result": "satisfied",
            "contact_way": "face_to_face",
        }))
        .send()
        .await
        .status(200);
    assert_eq!(rated.json["status"], "feedback");
    // PT25
    let staff = app.signed_in(&town, &town.staff);
    let closed = staff
        .post(&format!("{proposal}/actions/close"))
        .header("If-Match", "*")
        .json(json!({ "publish_text": "full", "publish_replies": "full" }))
        .send()
        .await
        .status(200);
    assert_eq!(closed.json["status"], "closed");
    let timeline = member.get(&format!("{proposal}/timeline?limit=100")).send().await.ok();
    let names: Vec<_> = timeline.json["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["name"].as_str())
        .collect();
    assert_eq!(names.first(), Some(&"proposal.created"));
    assert_eq!(names.last(), Some(&"proposal.closed"));
}
