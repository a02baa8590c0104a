//! Where messages may go: to public addresses by https. A name is resolved once for each delivery,
//! every address is checked, and the connection is made to a checked address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::error::Message;

/// Longest address of a target.
pub const LONGEST: usize = 1000;

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not an address with a host.
    Malformed,
    /// Not https.
    Scheme,
    /// With user name or password.
    Credentials,
    /// With a fragment.
    Fragment,
    /// A port below 1024 other than 443.
    Port,
    /// A name that is never public.
    Name,
    /// The name is not known, or cannot be asked for, or the answer does not come in time.
    Unresolved,
    /// An address that is not public.
    Address(IpAddr),
}

impl Refusal {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "target_malformed",
            Self::Scheme => "target_scheme",
            Self::Credentials => "target_credentials",
            Self::Fragment => "target_fragment",
            Self::Port => "target_port",
            Self::Name => "target_name",
            Self::Unresolved => "target_unresolved",
            Self::Address(_) => "target_address",
        }
    }

    /// What is wrong and what would be right. An address that a name resolves to is not told: it
    /// may be that of an inner network.
    pub fn message(&self) -> Message {
        match self {
            Self::Malformed => Message::new("须为含主机名的 URL。", "An absolute URL with a host."),
            Self::Scheme => Message::new("只能使用 https。", "Only https."),
            Self::Credentials => {
                Message::new("不得包含用户名或密码。", "Without user name and password.")
            }
            Self::Fragment => Message::new("不得包含 # 片段。", "Without a fragment."),
            Self::Port => Message::new(
                "端口须为 443，或 1024 及以上。",
                "Port 443, or 1024 and above.",
            ),
            Self::Name => Message::new("主机名须为公网域名。", "The host must have a public name."),
            Self::Unresolved => Message::new(
                "无法解析该主机名。",
                "The name of the host cannot be resolved.",
            ),
            Self::Address(_) => Message::new(
                "主机不是公网地址：内部、本机、链路本地、组播和元数据地址不得使用。",
                "The host is not at a public address: private, loopback, link-local, multicast and metadata addresses are refused.",
            ),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message().en)
    }
}

impl std::error::Error for Refusal {}

/// Names whose addresses are known without asking: for tests.
pub type Names = Arc<RwLock<BTreeMap<String, Vec<IpAddr>>>>;

/// What a name service answers, some time.
type Asked = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;

/// The name service.
#[derive(Debug, Clone, Copy)]
struct Lookup {
    ask: fn(String) -> Asked,
    /// How long an answer may take. The system's own limits add up to half a minute and more.
    time: Duration,
}

impl Default for Lookup {
    /// That of the system.
    fn default() -> Self {
        Self {
            ask: |host| {
                Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) })
            },
            time: Duration::from_secs(3),
        }
    }
}

/// Checks targets.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// For development: http, and addresses of this machine.
    pub insecure: bool,
    /// Asked before the name service.
    pub names: Names,
    lookup: Lookup,
}

/// Ends of names that are never public.
const INNER: [&str; 8] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "corp",
];

impl Targets {
    /// Checks with the name service of the system.
    pub fn new(insecure: bool, names: Names) -> Self {
        Self {
            insecure,
            names,
            lookup: Lookup::default(),
        }
    }

    /// Checks what the text alone tells.
    pub fn parse(&self, text: &str) -> Result<Url, Refusal> {
        let blank = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        if text.len() > LONGEST || text.contains(blank) {
            return Err(Refusal::Malformed);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.insecure => {}
            _ => return Err(Refusal::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        if let Some(port) = url.port()
            && port < 1024
            && port != 443
            && !(self.insecure && port == 80)
        {
            return Err(Refusal::Port);
        }
        let host = url.host_str().ok_or(Refusal::Malformed)?;
        match literal(host) {
            Some(address) => self.check(address)?,
            None => self.check_name(host)?,
        }
        Ok(url)
    }

    fn check_name(&self, host: &str) -> Result<(), Refusal> {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if self.insecure && name == "localhost" {
            return Ok(());
        }
        let inner = INNER.iter().any(|end| {
            name.strip_suffix(end)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if inner || !name.contains('.') || name.len() > 253 {
            return Err(Refusal::Name);
        }
        Ok(())
    }

    /// Whether a connection may be made to an address.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let own = self.insecure && address.is_loopback();
        if own || is_public(address) {
            Ok(())
        } else {
            Err(Refusal::Address(address))
        }
    }

    /// The addresses of a host, all of them checked. A name service that is silent is waited for
    /// three seconds.
    pub async fn resolve(&self, host: &str) -> Result<Vec<SocketAddr>, Refusal> {
        if let Some(address) = literal(host) {
            self.check(address)?;
            return Ok(vec![SocketAddr::new(address, 0)]);
        }
        self.check_name(host)?;
        let known = {
            let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
            names.get(host).cloned()
        };
        let found: Vec<SocketAddr> = if let Some(addresses) = known {
            let address = |ip| SocketAddr::new(ip, 0);
            addresses.into_iter().map(address).collect()
        } else {
            let asked = (self.lookup.ask)(host.to_owned());
            let answer = tokio::time::timeout(self.lookup.time, asked).await;
            answer
                .map_err(|_| Refusal::Unresolved)?
                .map_err(|_| Refusal::Unresolved)?
        };
        if found.is_empty() {
            return Err(Refusal::Unresolved);
        }
        // One bad address is enough: whoever names it means no good.
        for address in &found {
            self.check(address.ip())?;
        }
        Ok(found)
    }
}

/// The client asks here for every connection that it makes to a name.
impl Resolve for Targets {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.clone();
        Box::pin(async move {
            let found = Self::resolve(&targets, name.as_str()).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// The address that a host is written as; the library has brought decimal, octal and hexadecimal
/// forms into the usual one before.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Everything but the special-purpose blocks (IANA registry, RFC 6890 and later).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224..=255, _, _)
            // Shared by carriers; 100.100.100.200 gives metadata in one cloud.
            | (100, 64..=127, _)
            // Link-local, with the metadata services.
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            // Protocol assignments, documentation, 6to4 relays, benchmarks.
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    // An address that looks public and gives metadata in one cloud.
    !special && address != Ipv4Addr::new(168, 63, 129, 16)
}

/// Global unicast without the blocks for tunnels, protocols and documentation. NAT64 counts as
/// the address that is in it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let global = segments[0] & 0xe000 == 0x2000;
    let special = matches!(
        (segments[0], segments[1]),
        // Teredo and other protocols, documentation, 6to4.
        (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff)
    );
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().expect(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.5.5.5",
            "2606:4700:4700::1111",
            "2400:3200::1",
            "2001:4860::8888",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(text.parse().expect(text)), "{text}");
        }
    }

    /// Both who checks a target that is handed in and the client that delivers ask here.
    #[tokio::test]
    async fn a_name_service_that_is_silent_is_not_waited_for() {
        let with = |ask: fn(String) -> Asked| Targets {
            lookup: Lookup {
                ask,
                time: Duration::from_millis(20),
            },
            ..Targets::default()
        };
        let patience = Duration::from_secs(5);
        let name = || "hooks.example.cn".parse::<Name>().expect("a name");

        let silent = with(|_| Box::pin(std::future::pending()));
        let asked = tokio::time::timeout(patience, silent.resolve("hooks.example.cn")).await;
        assert_eq!(asked.expect("an end"), Err(Refusal::Unresolved));
        let asked = tokio::time::timeout(patience, Resolve::resolve(&silent, name())).await;
        let refused = asked.expect("an end").err().expect("a refusal");
        assert_eq!(refused.downcast_ref(), Some(&Refusal::Unresolved));

        // One that answers is heard, and what it says is checked.
        let public = with(|_| Box::pin(async { Ok(vec![([8, 8, 8, 8], 0).into()]) }));
        let found = public.resolve("hooks.example.cn").await;
        assert_eq!(found, Ok(vec![([8, 8, 8, 8], 0).into()]));
        assert!(Resolve::resolve(&public, name()).await.is_ok());
        let inner = with(|_| Box::pin(async { Ok(vec![([10, 0, 0, 1], 0).into()]) }));
        let refused = inner.resolve("hooks.example.cn").await;
        assert_eq!(refused, Err(Refusal::Address([10, 0, 0, 1].into())));
        assert!(Lookup::default().time <= Duration::from_secs(3));
    }

    #[test]
    fn what_the_text_tells() {
        let strict = Targets::default();
        for (text, code) in [
            ("", "target_malformed"),
            ("hooks.example.cn", "target_malformed"),
            ("https://", "target_malformed"),
            ("https://a b.cn/", "target_malformed"),
            ("https://hooks.example.cn\\@127.0.0.1/", "target_malformed"),
            ("ftp://hooks.example.cn/", "target_scheme"),
            ("file:///etc/passwd", "target_scheme"),
            ("gopher://hooks.example.cn/", "target_scheme"),
            ("http://hooks.example.cn/", "target_scheme"),
            ("https://user@hooks.example.cn/", "target_credentials"),
            ("https://user:pw@hooks.example.cn/", "target_credentials"),
            ("https://hooks.example.cn/#x", "target_fragment"),
            ("https://hooks.example.cn:22/", "target_port"),
            ("https://hooks.example.cn:80/", "target_port"),
            ("https://localhost/", "target_name"),
            ("https://LOCALHOST./", "target_name"),
            ("https://a.localhost/", "target_name"),
            ("https://server/", "target_name"),
            ("https://db.internal/", "target_name"),
            ("https://printer.local/", "target_name"),
            ("https://router.home.arpa/", "target_name"),
            ("https://127.0.0.1/", "target_address"),
            ("https://2130706433/", "target_address"),
            ("https://0x7f000001/", "target_address"),
            ("https://0177.0.0.1/", "target_address"),
            ("https://127.1/", "target_address"),
            ("https://①②⑦.⓪.⓪.①/", "target_address"),
            ("https://[::1]/", "target_address"),
            ("https://[::ffff:10.0.0.1]/", "target_address"),
            ("https://[fd00:ec2::254]/", "target_address"),
            ("https://169.254.169.254/latest/meta-data", "target_address"),
        ] {
            let refused = strict.parse(text).expect_err(text);
            assert_eq!(refused.code(), code, "{text}");
        }
        for text in [
            "https://hooks.example.cn/in?from=jianjian",
            "https://hooks.example.cn:8443/",
            "https://HOOKS.example.cn:443",
            "https://8.8.8.8/",
            "https://提案.example.cn/钩子",
        ] {
            assert!(strict.parse(text).is_ok(), "{text}");
        }
        let lax = Targets {
            insecure: true,
            ..Targets::default()
        };
        assert!(lax.parse("http://127.0.0.1:4711/").is_ok());
        assert!(lax.parse("http://localhost/").is_ok());
        assert!(lax.parse("http://[::1]:8080/").is_ok());
        assert!(lax.parse("http://10.0.0.1/").is_err());
        assert!(lax.parse("http://169.254.169.254/").is_err());
    }
}
