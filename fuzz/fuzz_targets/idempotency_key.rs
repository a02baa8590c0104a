//! See `idempotency_key` in `src/api/properties.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jianjian::api::properties::idempotency_key(data));
