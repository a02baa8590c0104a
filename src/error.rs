//! One error for the whole program: a stable code, words for the client in two languages, and
//! context for the log that no client ever sees.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::codes::Label;

/// A sentence in zh-CN and English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Message {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    #[schema(max_length = 2000, example = "提案已立案，不能再提交。")]
    pub zh: Cow<'static, str>,
    /// English.
    #[schema(
        max_length = 2000,
        example = "The proposal is filed and cannot be submitted again."
    )]
    pub en: Cow<'static, str>,
}

impl Message {
    /// A message from two texts.
    pub fn new(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The message that was shown as one text; `None` for a text that never was a message.
    pub fn from_words(words: &str) -> Option<Self> {
        words
            .split_once(" / ")
            .filter(|(zh, _)| !zh.is_ascii())
            .map(|(zh, en)| Self::new(zh.to_owned(), en.to_owned()))
    }
}

/// Both languages, for places that take one text; [`Message::from_words`] takes them apart.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

impl From<Label> for Message {
    fn from(label: Label) -> Self {
        Self::new(label.zh, label.en)
    }
}

/// One wrong place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body (`/title`), or the name of a query parameter.
    pub pointer: String,
    /// Stable code of the rule that failed, such as `max_length`.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: Message,
}

macro_rules! error_codes {
    ($($variant:ident, $status:literal, $code:literal, $zh:literal, $en:literal, $about_zh:literal, $about:literal;)+) => {
        /// Every way in which a request can fail. The code is part of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $about] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// Stable identifier, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Title of the problem document.
            pub const fn title(self) -> Label {
                match self { $(Self::$variant => Label { zh: $zh, en: $en }),+ }
            }

            /// What it means and what a client should do; text of `docs/errors.md`.
            pub const fn about(self) -> Label {
                match self { $(Self::$variant => Label { zh: $about_zh, en: $about }),+ }
            }
        }
    };
}

error_codes! {
    MalformedJson, 400, "malformed-json", "请求体不是有效的 JSON", "The body is not valid JSON",
        "请求体不能读作一个 JSON 值：语法错误、同一键出现两次、含 NUL 字符或嵌套过深。请改正后重新发送。",
        "The body could not be read as one JSON value: bad syntax, a key given twice, a NUL character, or nested too deeply. Correct the body and send it again.";
    MalformedMultipart, 400, "malformed-multipart", "上传内容格式有误", "The upload is not valid",
        "请求体不能读作 multipart/form-data，或未传完，或传输过慢。请重新发送。",
        "The body could not be read as multipart/form-data, ended early or came too slowly. Send it again.";
    InvalidParameter, 400, "invalid-parameter", "查询参数无效", "A query parameter is not valid",
        "查询参数未定义、重复出现或超出允许范围。`errors` 指明是哪一个参数。",
        "A query parameter is unknown, given twice or has a value outside its limits. `errors` names it.";
    InvalidHeader, 400, "invalid-header", "请求头无效", "A request header is not valid",
        "If-Match、Idempotency-Key 等请求头不符合文档规定的格式。",
        "A header such as If-Match or Idempotency-Key does not have the documented form.";
    IdempotencyKeyRequired, 400, "idempotency-key-required", "缺少 Idempotency-Key 请求头", "Idempotency-Key is required",
        "使用 API 令牌的客户端，每个 POST 请求都须带 Idempotency-Key；没有作任何修改。请为每项新的请求生成一个键，重发时用同一个键。",
        "Clients with an API token send an Idempotency-Key with every POST; nothing was changed. Make a key for each new request, and use the same one when you repeat it.";
    InvalidCursor, 400, "invalid-cursor", "分页游标无效", "The cursor is not valid",
        "游标被改动，或属于另一列表、筛选条件或排序。请去掉 `cursor` 从头开始。",
        "The cursor was changed, or belongs to another list, filter or order. Start again without `cursor`.";
    Unauthenticated, 401, "unauthenticated", "尚未登录或登录已失效", "Not signed in",
        "缺少访问令牌，或令牌已过期、被撤销、无效。请刷新令牌或重新登录。",
        "The access token is missing, expired, revoked or not valid. Refresh it or sign in.";
    BadCredentials, 401, "bad-credentials", "用户名或密码不正确", "User name or password is not right",
        "委员会不存在、用户不存在、密码错误、账号停用，以及失败过多后的等待和锁定期间（即使密码正确），得到的回答相同。",
        "The answer is the same for an unknown committee, an unknown user, a wrong password, a disabled account, and any password during the delay or lock that follows failures.";
    RefreshRefused, 401, "refresh-refused", "刷新令牌无效", "The refresh token is not accepted",
        "刷新令牌未知、已过期或已使用过；同一令牌使用两次将使整个登录失效。请重新登录。",
        "The refresh token is unknown, expired, or was used before; using one twice ends the whole sign-in. Sign in again.";
    SecondFactorRequired, 401, "second-factor-required", "需要第二因素", "The second factor is needed",
        "密码正确，该账号另设有第二因素。请在 `expires_in` 秒内将 `challenge` 与动态码或恢复码一并提交到 `POST /auth/login/second-factor`。",
        "The password is right, and the account has a second factor. Send `challenge` with a code of the authenticator or a recovery code to `POST /auth/login/second-factor` within `expires_in` seconds.";
    SecondFactorRefused, 401, "second-factor-refused", "动态码不正确", "The code is not right",
        "动态码或恢复码错误、已过期或已使用过。在登录质询有效期内可用新的动态码重试；每个动态码只能使用一次。",
        "The code is wrong, expired or was used before. Try again with the next code while the challenge is open; each code works once.";
    ChallengeRefused, 401, "challenge-refused", "登录过程已失效", "The sign-in has to be started again",
        "登录质询或外部登录的 `state` 未知、已过期或已使用，或账号在此期间有变动。请重新登录。",
        "The challenge, or the `state` of a sign-in at an identity provider, is unknown, expired or used, or the account was changed meanwhile. Start signing in again.";
    PasswordChangeRequired, 403, "password-change-required", "须先修改密码", "The password must be changed first",
        "密码是初始密码，或已超过口令策略规定的有效期。修改密码之前，只有 `POST /auth/password`、`GET /auth/me`、`GET /password-policy` 和退出登录可用。",
        "The password is an initial one, or older than the password policy allows. Only `POST /auth/password`, `GET /auth/me`, `GET /password-policy` and sign-out work until it is changed.";
    SecondFactorEnrolmentRequired, 403, "second-factor-enrolment-required", "须先登记第二因素", "A second factor must be enrolled first",
        "该账号必须使用第二因素。登记并确认之前，只有 `/auth/second-factor` 下的操作、修改密码、`GET /auth/me` 和退出登录可用。",
        "The account must have a second factor. Only the operations below `/auth/second-factor`, the password, `GET /auth/me` and sign-out work until one is enrolled and confirmed.";
    StepUpRequired, 403, "step-up-required", "须再次验证第二因素", "The second factor must be proven again",
        "此操作只接受近期验证过第二因素的登录。请将动态码提交到 `POST /auth/step-up`，然后重试。`max_age_seconds` 为验证的有效时间。",
        "The operation takes only sign-ins that proved the second factor lately. Send a code to `POST /auth/step-up` and repeat the request. `max_age_seconds` says for how long a proof counts.";
    Forbidden, 403, "forbidden", "无权进行此操作", "Not allowed",
        "可以查看该对象，但所持角色不允许对其进行此操作。`needs` 列出有权的角色。",
        "The caller may see the object but has no role that allows this act on it. `needs` lists the roles that have.";
    NotFound, 404, "not-found", "找不到该资源", "Not found",
        "本委员会内没有该对象，或无权知悉，或接口中没有该路径。",
        "There is no such object in the caller's committee, or the caller may not know of it, or the path is not part of the interface.";
    MethodNotAllowed, 405, "method-not-allowed", "不支持该请求方法", "Method not allowed",
        "路径存在，但不支持该方法。`Allow` 响应头列出可用的方法。",
        "The path exists but not with this method. The `Allow` header lists the methods that work.";
    StateConflict, 409, "state-conflict", "当前状态不允许此操作", "The present state does not allow this",
        "当前状态不能开始此操作。`current_status` 为当前状态，`allowed_from` 列出可以进行此操作的状态，`allowed_actions` 列出现在可以进行的操作。",
        "The act does not start from the present status. `current_status` is the present one, `allowed_from` lists those from which it would work, `allowed_actions` what the caller may do now.";
    GuardUnmet, 409, "guard-unmet", "条件尚未满足", "A condition is not met",
        "状态允许此操作，但该提案的某项条件尚未满足。`unmet` 列出每项未满足的条件及其对应的不变式。",
        "The status would allow the act but a condition of the case is not met. `unmet` lists each failed condition with its invariant.";
    AlreadyExists, 409, "already-exists", "已存在相同的记录", "It exists already",
        "委员会内必须唯一的值已被另一条记录使用。`errors` 指明字段。",
        "A value that must be unique in the committee is used by another row. `errors` names the field.";
    InUse, 409, "in-use", "仍被使用", "It is still in use",
        "该记录正被其他记录引用，不能这样修改。`uses` 说明被多少件提案使用。",
        "The row is referred to by others and cannot be changed that way. `uses` says by how many cases.";
    ContentRemoved, 410, "content-removed", "文件内容已移除", "The content was removed",
        "文件已被移除：其登记信息仍可读取，内容不能再读取。",
        "The file was taken away; what is known of it can still be read, its content not any more.";
    VersionMismatch, 412, "version-mismatch", "内容已被他人修改", "It was changed by somebody else",
        "If-Match 中的版本不是当前版本。请重新读取该对象，查看变化，再用新的 ETag 重试。",
        "The version in If-Match is not the present one. Read the object again, look at what changed, and repeat with the new ETag.";
    PayloadTooLarge, 413, "payload-too-large", "请求体过大", "The body is too large",
        "请求体超过服务接受的大小：一般为 256 KiB，文件以政策参数为准（默认 32 MiB）。`max_bytes` 为上限。",
        "The body is larger than the service accepts: 256 KiB, for a file what the policy profile says (by default 32 MiB). `max_bytes` is the limit.";
    UriTooLong, 414, "uri-too-long", "请求地址过长", "The address is too long",
        "路径和查询参数的总长度超过 8 KiB。",
        "The path and query are longer than 8 KiB.";
    UnsupportedMediaType, 415, "unsupported-media-type", "不支持的媒体类型", "Unsupported media type",
        "请发送 application/json；PATCH 请求用 application/merge-patch+json；上传文件用 multipart/form-data。不得使用内容编码。`accepts` 说明应使用哪一种。",
        "Send application/json, application/merge-patch+json with PATCH, or multipart/form-data to upload a file, without a content encoding. `accepts` says which.";
    InvalidBody, 422, "invalid-body", "请求内容不符合要求", "The body does not have the required form",
        "JSON 不符合该操作的模式：`errors` 以 JSON 指针列出每一处错误。",
        "The JSON does not fit the schema of the operation: `errors` lists every wrong place with a JSON pointer.";
    InvalidInput, 422, "invalid-input", "请求内容有误", "The content is not acceptable",
        "请求体形式正确，但内容违反规则，例如承办单位已停用。`errors` 以 JSON 指针列出每一处错误。",
        "The body has the right form but its content breaks a rule, such as a unit that is not active. `errors` lists every wrong place with a JSON pointer.";
    IdempotencyKeyReused, 422, "idempotency-key-reused", "幂等键已用于另一请求", "The idempotency key was used for another request",
        "同一 Idempotency-Key 已用于内容或地址不同的请求。新的请求请使用新的键。",
        "The same Idempotency-Key was sent with another body or address. Use a new key for a new request.";
    PreconditionRequired, 428, "precondition-required", "缺少 If-Match 请求头", "If-Match is required",
        "修改已有对象须带 If-Match，其值为所读版本的 ETag。",
        "Changing an existing object needs If-Match with the ETag of the version that was read.";
    TooManyStreams, 429, "too-many-streams", "事件流连接过多", "Too many event streams",
        "该账号同时打开的事件流已达上限（4 个）。请关闭不用的连接，在 Retry-After 所示秒数后重试。",
        "The account has as many event streams open as it may (4). Close one that is not used, and repeat after Retry-After seconds.";
    TooManySignIns, 429, "too-many-sign-ins", "登录失败次数过多", "Too many sign-ins were refused",
        "来自该地址的登录被拒次数过多，暂不再受理；与账号无关。请在 Retry-After 所示秒数后重试。",
        "Too many sign-ins from this address were refused, and none is taken for a while; that says nothing about any account. Repeat after Retry-After seconds.";
    SecondFactorHeld, 429, "second-factor-held", "验证次数过多", "Too many wrong codes",
        "错误次数过多，暂不再验证该账号的动态码，正确的也不例外。请在 Retry-After 所示秒数后重试。",
        "Too many wrong codes: for now no code of the account is looked at, not even a right one. Repeat after Retry-After seconds.";
    RateLimited, 429, "rate-limited", "请求过于频繁", "Too many requests",
        "在一个时间窗口内，账号（无须登录的操作则为来源地址）的请求数已用完；没有作任何处理。`budget` 说明是哪一类请求，`RateLimit-Policy` 响应头给出其上限。请在 Retry-After 所示秒数后重试。",
        "The account (without a token: the address) has used up its requests of a window; nothing was done. `budget` says which kind of requests, the header `RateLimit-Policy` how many of them a window allows. Repeat after Retry-After seconds.";
    Internal, 500, "internal", "服务器内部错误", "Internal error",
        "服务故障，没有作任何修改。请报告 `instance`，日志中以此可查原因。",
        "A fault of the service. Nothing was changed. Report `instance`, under which the log has the cause.";
    Busy, 503, "busy", "服务器繁忙", "The service is busy",
        "请求过多，无法及时处理；没有作任何修改。请在 Retry-After 所示秒数后重试。",
        "More work arrived than can be done in time; nothing was changed. Repeat after Retry-After seconds.";
    ReadOnly, 503, "read-only", "暂停写入", "Writing is suspended",
        "数据库所余空间不足，服务暂时只读；没有作任何修改。读取照常；请在 Retry-After 所示秒数后重试写入，并通知运维人员。",
        "Little room is left for the database, so the service only reads for now; nothing was changed. Reading works as ever. Repeat the write after Retry-After seconds, and tell whoever runs the service.";
    DatabaseUnavailable, 503, "database-unavailable", "数据库暂不可用", "The database is away",
        "数据库无法访问。若连接在提交时中断，写入可能已经完成，也可能没有：请在 Retry-After 所示秒数后用同一 Idempotency-Key 重试。",
        "The database cannot be reached. A write may or may not have happened if the connection broke on commit: repeat it with the same Idempotency-Key after Retry-After seconds.";
    ProviderUnavailable, 503, "provider-unavailable", "身份提供方暂不可用", "The identity provider is away",
        "无法访问身份提供方，或其应答不合规范；没有人登录，没有作任何修改。请在 Retry-After 所示秒数后重新开始登录。",
        "The identity provider cannot be reached, or answers against the standard; nobody was signed in and nothing was changed. Start signing in again after Retry-After seconds.";
    StorageUnavailable, 503, "storage-unavailable", "文件存储暂不可用", "The file storage is away",
        "文件存储无法访问；没有作任何修改。请在 Retry-After 所示秒数后重试。",
        "The storage of files cannot be reached; nothing was changed. Repeat after Retry-After seconds.";
    ScannerUnavailable, 503, "scanner-unavailable", "病毒扫描暂不可用", "The virus scanner is away",
        "病毒扫描服务无法访问，或没有给出结论；文件没有保存，没有作任何修改。请在 Retry-After 所示秒数后重试。",
        "The virus scanner cannot be reached, or came to no verdict; the file was not stored and nothing was changed. Repeat after Retry-After seconds.";
}

/// A failed request.
pub struct Error(Box<Inner>);

/// Behind a pointer, so that results stay small.
struct Inner {
    code: Code,
    detail: Option<Message>,
    fields: Vec<FieldError>,
    extra: Map<String, Value>,
    context: Option<String>,
    retry: bool,
}

/// The result of everything that can fail on the way to an answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with the words of its code alone.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            detail: None,
            fields: Vec::new(),
            extra: Map::new(),
            context: None,
            retry: false,
        }))
    }

    /// A fault of the service itself; `context` goes to the log, never to the client.
    pub fn internal(context: impl fmt::Display) -> Self {
        Self::new(Code::Internal).context(context)
    }

    /// An object that is not there, or of which the caller may not know.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// One wrong place in the content of a body.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, message: Message) -> Self {
        Self::new(Code::InvalidInput).field(pointer, code, message)
    }

    /// Adds what happened in this case.
    #[must_use]
    pub fn detail(mut self, message: impl Into<Message>) -> Self {
        self.0.detail = Some(message.into());
        self
    }

    /// Adds one wrong place.
    #[must_use]
    pub fn field(
        mut self,
        pointer: impl Into<String>,
        code: &'static str,
        message: Message,
    ) -> Self {
        self.0.fields.push(FieldError {
            pointer: pointer.into(),
            code,
            message,
        });
        self
    }

    /// Adds a member to the problem document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.extra.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds words for the log.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => format!("{context}: {inner}"),
            None => context.to_string(),
        });
        self
    }

    /// Marks a clash with a concurrent transaction: the write door runs the closure again.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.0.retry = true;
        self
    }

    /// Whether running the transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        self.0.retry
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, where more is known than the title says.
    pub fn detail_message(&self) -> Option<&Message> {
        self.0.detail.as_ref()
    }

    /// The wrong places.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// Further members of the problem document.
    pub fn extra(&self) -> &Map<String, Value> {
        &self.0.extra
    }

    /// Words for the log.
    pub fn log_context(&self) -> Option<&str> {
        self.0.context.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.as_str())?;
        if let Some(detail) = &self.0.detail {
            write!(f, ": {}", detail.en)?;
        }
        for field in &self.0.fields {
            write!(f, "; {}: {}", field.pointer, field.message.en)?;
        }
        if let Some(context) = &self.0.context {
            write!(f, " ({context})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in codes {
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{code}"
            );
        }
    }
}
