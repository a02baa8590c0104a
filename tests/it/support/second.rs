//! A second instance of the service, over the same database.

use actix_web::dev::ServerHandle;

use super::{Client, TestApp, launch};

/// Another process would be the same: what they share is the database.
pub struct Second {
    http: awc::Client,
    base: String,
    handle: ServerHandle,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl TestApp {
    /// Starts a second instance with the same settings and the same clock.
    pub async fn second(&self) -> Second {
        let launched = launch(self.config.clone(), self.clock.clone()).await;
        Second {
            http: self.http.clone(),
            base: launched.base,
            handle: launched.handle,
            thread: Some(launched.thread),
        }
    }
}

impl Second {
    /// A client that sends this access token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(self.http.clone(), self.base.clone(), Some(token.to_owned()))
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), self.base.clone(), None)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the second instance panicked");
        }
    }
}
