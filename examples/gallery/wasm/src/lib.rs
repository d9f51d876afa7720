//! The interface between the page of the gallery and this crate: a request in, its answer as JSON
//! out.
//!
//! Both use the memory shared with the page: [`request`] makes room for bytes of UTF-8 and returns
//! their address, [`answer`] reads them and returns the address of the answer, [`answer_len`] its
//! length. There is no other state, and a page has one thread.

#[path = "../../methods/mod.rs"]
pub mod methods;

use std::sync::{Mutex, MutexGuard, PoisonError};

static REQUEST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn bytes(of: &'static Mutex<Vec<u8>>) -> MutexGuard<'static, Vec<u8>> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for a request of the given number of bytes, and returns its address.
#[unsafe(no_mangle)]
pub extern "C" fn request(len: usize) -> *mut u8 {
    let mut request = bytes(&REQUEST);
    request.clear();
    request.resize(len, 0);
    request.as_mut_ptr()
}

/// Answers the request, and returns the address of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    let json = methods::answer_json(&String::from_utf8_lossy(&bytes(&REQUEST)));
    let mut answer = bytes(&ANSWER);
    *answer = json.into_bytes();
    answer.as_ptr()
}

/// Returns the number of bytes of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn answer_len() -> usize {
    bytes(&ANSWER).len()
}
