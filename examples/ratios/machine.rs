//! What the figures were measured on.

use std::fs;
use std::process::Command;
use std::time::SystemTime;

use positional_encodings::InstructionSet;

/// Lines of a table: what, and which.
pub fn describe(measured: SystemTime) -> Vec<(&'static str, String)> {
    let sets: Vec<_> = InstructionSet::available().map(InstructionSet::name).collect();
    vec![
        ("processor", processor()),
        ("cores", cores()),
        ("caches", caches()),
        ("system", system()),
        ("compiler", says("rustc", &["--version"]).unwrap_or("unknown".into())),
        ("instruction sets", sets.join(", ")),
        ("measured", date(measured)),
    ]
}

/// The same in a sentence.
pub fn line(measured: SystemTime) -> String {
    let (date, processor, cores, set) = (date(measured), processor(), cores(), best_set());
    let compiler = says("rustc", &["--version"]).unwrap_or("rustc".into());
    let compiler = compiler.split(" (").next().unwrap_or_default();
    format!(
        "Medians of one run on {date}: {processor} ({cores} cores), {set}, {compiler}. One thread, unless two are named."
    )
}

fn cores() -> String {
    let cores =
        std::thread::available_parallelism().map_or("unknown".into(), |cores| cores.to_string());
    let is_virtual =
        cpuinfo("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    if is_virtual { format!("{cores} virtual") } else { cores }
}

fn processor() -> String {
    let name =
        cpuinfo("model name").or_else(|| says("sysctl", &["-n", "machdep.cpu.brand_string"]));
    name.unwrap_or_else(|| std::env::consts::ARCH.to_string())
}

/// The fastest instruction set of this machine.
pub fn best_set() -> &'static str {
    InstructionSet::available().last().map_or("baseline", InstructionSet::name)
}

/// A line of Linux's description.
fn cpuinfo(key: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line =
        text.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

/// Those of the first core, from the nearest on.
fn caches() -> String {
    let of = |index: usize| {
        let read = |name| {
            fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}"))
                .ok()
        };
        let (level, kind, size) = (read("level")?, read("type")?, read("size")?);
        let kind = match kind.trim() {
            "Unified" => "",
            "Data" => "d",
            _ => "i",
        };
        Some(format!("L{}{kind} {}", level.trim(), size.trim()))
    };
    let caches: Vec<_> = (0..8).map_while(of).collect();
    if caches.is_empty() { "unknown".into() } else { caches.join(", ") }
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.map_or(std::env::consts::OS, |name| name.trim_matches('"')).to_string();
    match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(kernel) => format!("{name}, Linux {}", kernel.trim()),
        Err(_) => name,
    }
}

/// The first line that a program prints.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_string)
}

/// The day, in UTC.
pub fn date(time: SystemTime) -> String {
    let mut days =
        time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, days + 1)
}
