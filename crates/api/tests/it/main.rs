//! The server against real PostgreSQL, real HTTP and real executors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod core_auth;
mod core_catalogue;
mod core_forged;
mod core_guard;
mod core_hosted;
mod core_isolation;
mod core_members;
mod core_openapi;
mod core_permissions;
mod core_schema;
mod core_watch;
mod demo;
mod faults;
mod faults_clock;
mod faults_database;
mod faults_executor;
mod faults_follower;
mod faults_invariants;
mod faults_limits;
mod faults_loop;
mod faults_output;
mod faults_proxy;
mod faults_replicas;
mod faults_sockets;
mod faults_stage;
mod imports;
mod issuer;
mod people;
mod runs_create;
mod runs_executor;
mod runs_flow;
mod runs_gpus;
mod runs_socket;
mod runs_stage;
mod runs_tenancy;
