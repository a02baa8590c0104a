//! Reading server-sent events.

use std::time::Duration;

use actix_web::web::Bytes;
use awc::error::PayloadError;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::Request;

/// One event, or a comment with nothing but an id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// Where it stands.
    pub id: String,
    /// What happened; empty for a heartbeat.
    pub event: String,
    /// The entry.
    pub data: Value,
}

/// An open stream.
pub struct Events {
    body: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>,
    text: String,
}

impl Events {
    /// Opens a stream, which must be answered with 200.
    pub async fn open(request: Request) -> Self {
        let response = request.open().await;
        assert_eq!(response.status().as_u16(), 200);
        let kind = response.headers().get("content-type").expect("a type");
        assert_eq!(kind.to_str().expect("text"), "text/event-stream");
        Self {
            body: Box::pin(response),
            text: String::new(),
        }
    }

    /// The next event or heartbeat; `None` at the end of the stream.
    pub async fn next(&mut self, patience: Duration) -> Option<Frame> {
        loop {
            while let Some((frame, rest)) = self.text.split_once("\n\n") {
                let parsed = parse(frame);
                self.text = String::from(rest);
                if let Some(parsed) = parsed {
                    return Some(parsed);
                }
            }
            let chunk = tokio::time::timeout(patience, self.body.next()).await;
            match chunk.expect("something in time") {
                Some(Ok(bytes)) => self
                    .text
                    .push_str(std::str::from_utf8(&bytes).expect("text")),
                // Cut off or ended.
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next `count` events, without heartbeats.
    pub async fn take(&mut self, count: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        while frames.len() < count {
            let frame = self.next(Duration::from_secs(10)).await.expect("an event");
            if !frame.event.is_empty() {
                frames.push(frame);
            }
        }
        frames
    }
}

fn parse(text: &str) -> Option<Frame> {
    let mut frame = Frame::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => id.clone_into(&mut frame.id),
            Some(("event", name)) => name.clone_into(&mut frame.event),
            Some(("data", data)) => frame.data = serde_json::from_str(data).expect("JSON"),
            Some(("retry", _)) => return None,
            _ => assert_eq!(line, ":", "{text}"),
        }
    }
    Some(frame)
}
