#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| punch_protocol_fuzz::tcp_terminal(data));
