//! Files in a storage that speaks the S3 protocol: a small one of our own, on the loopback.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::Method;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use jianjian::files::Place;
use serde_json::json;

use crate::support::story::Story;
use crate::support::{TestApp, steps};

/// A bucket.
#[derive(Default)]
struct Bucket {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    parts: Mutex<BTreeMap<usize, Vec<u8>>>,
    requests: AtomicUsize,
    unsigned: AtomicUsize,
    away: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bucket {
    fn keys(&self) -> Vec<String> {
        locked(&self.objects).keys().cloned().collect()
    }

    fn answer(&self, request: &HttpRequest, body: &[u8]) -> HttpResponse {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let signed = request
            .headers()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value.starts_with("AWS4-HMAC-SHA256 Credential=test-key/")
                    && value.contains("/cn-test-1/s3/aws4_request")
            });
        if !signed {
            self.unsigned.fetch_add(1, Ordering::SeqCst);
            return HttpResponse::Forbidden().finish();
        }
        if self.away.load(Ordering::SeqCst) {
            return HttpResponse::ServiceUnavailable().finish();
        }
        let (key, query) = (request.path().to_owned(), request.query_string());
        let part = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("partNumber=")?.parse::<usize>().ok());
        let tagged = || {
            HttpResponse::Ok()
                .insert_header(("ETag", "\"tag\""))
                .finish()
        };
        match (request.method(), part) {
            (&Method::PUT, Some(number)) => {
                locked(&self.parts).insert(number, body.to_vec());
                tagged()
            }
            (&Method::PUT, None) => {
                locked(&self.objects).insert(key, body.to_vec());
                tagged()
            }
            (&Method::POST, _) if query.starts_with("uploads") => HttpResponse::Ok().body(
                "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
            ),
            (&Method::POST, _) => {
                let parts = std::mem::take(&mut *locked(&self.parts));
                locked(&self.objects).insert(key, parts.into_values().flatten().collect());
                HttpResponse::Ok().body(
                    "<CompleteMultipartUploadResult><ETag>tag</ETag></CompleteMultipartUploadResult>",
                )
            }
            (&Method::GET, _) => match locked(&self.objects).get(&key) {
                Some(content) => HttpResponse::Ok()
                    .insert_header(("ETag", "\"tag\""))
                    .insert_header(("Last-Modified", "Mon, 02 Mar 2026 01:00:00 GMT"))
                    .body(content.clone()),
                None => HttpResponse::NotFound().finish(),
            },
            (&Method::DELETE, _) => {
                locked(&self.objects).remove(&key);
                HttpResponse::NoContent().finish()
            }
            _ => HttpResponse::MethodNotAllowed().finish(),
        }
    }
}

async fn serve(request: HttpRequest, body: Bytes, bucket: Data<Bucket>) -> HttpResponse {
    bucket.answer(&request, &body)
}

/// Starts the storage; gives its address.
fn start(bucket: Arc<Bucket>) -> String {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::from(Arc::clone(&bucket)))
            .app_data(PayloadConfig::new(64 * 1024 * 1024))
            .default_service(web::to(serve))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .expect("to listen");
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    format!("http://{address}")
}

#[actix_web::test]
async fn files_go_to_a_bucket_and_come_back() {
    let bucket = Arc::new(Bucket::default());
    let endpoint = start(Arc::clone(&bucket));
    let app = TestApp::start_with(|config| {
        config.storage.place = Place::Bucket {
            name: "files".to_owned(),
            prefix: "jianjian/test".to_owned(),
        };
        config.storage.s3.endpoint = Some(endpoint);
        config.storage.s3.region = "cn-test-1".to_owned();
        config.storage.s3.credentials = Some(("test-key".into(), "test-secret".into()));
    })
    .await;
    let town = app.town().await;
    let member = &town.members[0];
    let case = Story::draft(&app, &town, member).await;
    let client = case.as_(member);
    // A small one at once, a large one in parts.
    let large: Vec<u8> = b"%PDF-".iter().copied().cycle().take(12_000_000).collect();
    let mut ids = Vec::new();
    for content in [steps::PDF, &large] {
        let made = steps::upload(&client, &case.path(), "a.pdf", content).await;
        let made = made.status(201);
        let path = format!("/api/v1/attachments/{}/content", made.id());
        let got = client.get(&path).send().await.status(200);
        assert!(got.body == content);
        ids.push((made.id(), made.text("/sha256")));
    }
    let committee = town.committee.uuid().simple();
    for ((id, sha256), key) in ids.iter().zip(bucket.keys().iter()) {
        assert!(
            key.starts_with(&format!("/files/jianjian/test/{committee}/")),
            "{key}"
        );
        assert!(bucket.keys().iter().any(|key| {
            key.ends_with(&format!(
                "/{}/{sha256}-{}",
                &sha256[..2],
                &id["atta_".len()..]
            ))
        }));
    }
    case.edit(json!({ "attachment_ids": [ids[0].0] })).await;
    // Taken away, it leaves the bucket.
    let path = format!("/api/v1/attachments/{}", ids[1].0);
    let gone = client.request(awc::http::Method::DELETE, &path);
    gone.header("If-Match", "*").send().await.status(204);
    for _ in 0..200 {
        if bucket.keys().len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(bucket.keys().len(), 1);
    assert_eq!(bucket.unsigned.load(Ordering::SeqCst), 0);
    // Away.
    bucket.away.store(true, Ordering::SeqCst);
    let path = format!("/api/v1/attachments/{}/content", ids[0].0);
    let refused = client.get(&path).send().await;
    refused.status(503).code("storage-unavailable");
    let refused = steps::upload(&client, &case.path(), "b.pdf", steps::PDF).await;
    refused.status(503).code("storage-unavailable");
    bucket.away.store(false, Ordering::SeqCst);
    client.get(&path).send().await.status(200);
    steps::upload(&client, &case.path(), "b.pdf", steps::PDF)
        .await
        .status(201);
    assert!(bucket.requests.load(Ordering::SeqCst) > 8);
}
