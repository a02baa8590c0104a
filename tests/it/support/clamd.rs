//! A virus scanner on this machine that knows one virus.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jianjian::files::{Address, Scanner};

/// What it takes for a virus.
pub const VIRUS: &str = "not-really-a-virus";

/// What it does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It looks at the file and tells.
    Honest,
    /// It says this whatever the file is.
    Says(&'static str),
    /// It hangs up in the middle of the file.
    HangsUp,
    /// It takes the file and says nothing.
    Silent,
}

/// The scanner. It listens as long as the process runs.
#[derive(Clone)]
pub struct Clamd {
    address: Address,
    answer: Arc<Mutex<Answer>>,
    files: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Clamd {
    fn at<Stream: Read + Write + Send + 'static>(
        address: &str,
        accept: impl Fn() -> std::io::Result<Stream> + Send + 'static,
    ) -> Self {
        let clamd = Self {
            address: address.parse().expect("an address"),
            answer: Arc::new(Mutex::new(Answer::Honest)),
            files: Arc::default(),
        };
        let own = clamd.clone();
        std::thread::spawn(move || {
            loop {
                own.begin(accept().expect("a connection"));
            }
        });
        clamd
    }

    /// Starts one that listens on a port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("to listen");
        let address = listener.local_addr().expect("an address").to_string();
        Self::at(&address, move || {
            listener.accept().map(|(stream, _)| stream)
        })
    }

    /// Starts one that listens on a socket.
    #[cfg(unix)]
    pub fn start_at(path: &std::path::Path) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).expect("to listen");
        let address = format!("unix:{}", path.display());
        Self::at(&address, move || {
            listener.accept().map(|(stream, _)| stream)
        })
    }

    /// What the service is told of it.
    pub fn scanner(&self) -> Scanner {
        Scanner {
            address: self.address.clone(),
            timeout: Duration::from_secs(20),
        }
    }

    /// From now on it answers otherwise.
    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().expect("the answer") = answer;
    }

    /// The files that it got to their end.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.files.lock().expect("the files").clone()
    }

    fn begin(&self, stream: impl Read + Write + Send + 'static) {
        let own = self.clone();
        std::thread::spawn(move || own.serve(stream));
    }

    /// One file: the command, then pieces with their length before them, the last one empty.
    fn serve(&self, mut stream: impl Read + Write) {
        let mut command = [0; 10];
        stream.read_exact(&mut command).expect("a command");
        assert_eq!(&command, b"zINSTREAM\0");
        let answer = *self.answer.lock().expect("the answer");
        let mut file = Vec::new();
        loop {
            let mut size = [0; 4];
            if stream.read_exact(&mut size).is_err() {
                return;
            }
            let size = u32::from_be_bytes(size);
            if size == 0 {
                break;
            }
            let mut piece = vec![0; usize::try_from(size).expect("a size")];
            if stream.read_exact(&mut piece).is_err() || answer == Answer::HangsUp {
                return;
            }
            file.append(&mut piece);
        }
        let infected = file
            .windows(VIRUS.len())
            .any(|part| part == VIRUS.as_bytes());
        self.files.lock().expect("the files").push(file);
        let told = match answer {
            Answer::Honest if infected => "stream: Test-Signature FOUND\0",
            Answer::Honest => "stream: OK\0",
            Answer::Says(text) => text,
            // Until the other side has enough of it.
            _ => {
                let _ = stream.read(&mut [0]);
                return;
            }
        };
        // The other side may be gone.
        let _ = stream.write_all(told.as_bytes());
    }
}
