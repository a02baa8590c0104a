//! jianjian 件件: every proposal lands, every matter gets an answer.

pub mod api;
pub mod app;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod codes;
pub mod config;
pub mod demo;
pub mod digest;
pub mod error;
pub mod files;
pub mod ids;
pub mod jobs;
pub mod keep;
pub mod mail;
pub mod openid;
pub mod seed;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod webhooks;
pub mod workflow;
