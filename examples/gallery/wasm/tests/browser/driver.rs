//! The part of WebDriver (W3C) that the test needs: JSON over HTTP to chromedriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::value;

/// The time limit of a script, on a shared machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A browser without a window, with a folder of its own; both are removed with it.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    folder: PathBuf,
}

impl Browser {
    /// Starts a browser, if there is one.
    pub fn start() -> Option<Self> {
        let browser = program(&["chromium", "chromium-browser", "google-chrome"])?;
        let driver = program(&["chromedriver"])?;
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(driver.stdout.take()?).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        })?;
        // The pipe must be read, so that it does not fill.
        std::thread::spawn(move || lines.for_each(drop));
        let folder = std::env::temp_dir().join(format!("gallery-browser-{}", std::process::id()));
        let mut started = Self { driver, port, session: String::new(), folder };
        let mut arguments: Vec<String> = [
            "headless",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "disable-dev-shm-usage",
            "lang=en",
            "window-size=1280,900",
        ]
        .map(|argument| format!("--{argument}"))
        .to_vec();
        arguments.push(format!("--user-data-dir={}", started.folder.display()));
        let wanted = json!({
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let answer = started.http("POST", "/session", &body).ok()?;
        started.session = value(&answer)["sessionId"].as_str()?.to_string();
        started.post("/timeouts", json!({ "script": PATIENCE.as_millis() as u64 }));
        Some(started)
    }

    fn http(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Value> {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (host, length) = (format!("127.0.0.1:{}", self.port), body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
        )?;
        let mut answer = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while answer.read_line(&mut line)? > 0 && line != "\r\n" {
            if let Some(given) = line.to_lowercase().strip_prefix("content-length:") {
                length = given.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        let mut json = vec![0; length];
        answer.read_exact(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http("POST", &format!("/session/{}{path}", self.session), &body);
        value(&answer.unwrap()).clone()
    }

    /// Opens a file.
    pub fn open(&mut self, file: &Path) {
        self.post("/url", json!({ "url": format!("file://{}", file.display()) }));
    }

    /// Runs a script in the page and returns what it returns.
    pub fn run(&mut self, script: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": arguments }))
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, condition: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({condition})"), json!([])) != true {
            assert!(start.elapsed() < PATIENCE, "never: {condition}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses keys while an element has the focus.
    pub fn keys(&mut self, selector: &str, keys: &str) {
        let found = self.post("/element", json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_string();
        self.post(&format!("/element/{id}/value"), json!({ "text": keys }));
    }

    /// Shows the page in a window of this size, like a phone.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the preference for dark or light pages.
    pub fn dark(&mut self, dark: bool) {
        let preferred = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": preferred }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    fn devtools(&self, command: &str, parameters: Value) {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
    }

    /// Returns the messages of the page on the console since the last call.
    pub fn console(&mut self) -> Vec<String> {
        let said = self.post("/se/log", json!({ "type": "browser" }));
        said.as_array().unwrap().iter().map(Value::to_string).collect()
    }

    /// Keeps a picture of the window in the folder that `GALLERY_SHOTS` names.
    pub fn shot(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("GALLERY_SHOTS") else { return };
        let path = format!("/session/{}/screenshot", self.session);
        let answer = self.http("GET", &path, &Value::Null).unwrap();
        let bytes = decoded(value(&answer).as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, also where a test has failed.
        let _ = self.http("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns the first of these programs that exists.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut files = names.iter().flat_map(|name| folders.iter().map(move |at| at.join(name)));
    files.find(|file| file.is_file())
}

/// The bytes of base64.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
