//! Signing in and out.

use super::App;
use crate::auth::principal::Principal;
use crate::error::{Code, Error, Result};

impl App {
    /// The principal of an access token, as the account stands now.
    pub async fn authenticate(&self, _token: &str) -> Result<Principal> {
        Err(Error::new(Code::Unauthenticated))
    }
}
