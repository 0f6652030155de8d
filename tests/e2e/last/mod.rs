//! What comes last, side by side: the quickstart's domain goes, and whatever needs nothing of it.
//! `dev/test` runs these tests once all others are over.

mod teardown;
mod turns;
