//! The tick that looks whether all is well, and writes what alarms read: by a schedule of its own, so that
//! they don't depend on how often connections are compared.

use crate::handler::Syncer;
use lambda_runtime::Error;
use platform::connections::Vault;
use platform::health::{Severity, decide, gauges, is_whole};
use platform::metrics::Metrics;
use platform::queue::{Jobs, Outbox};
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use platform::ticks::Tick;
use serde_json::{Value, json};
use tokio::time::Instant;

impl<V, S, J, O> Syncer<V, S, J, O>
where
    V: Vault + Clone + Send + std::marker::Sync,
    S: Versions,
    J: Jobs<SyncJob>,
    O: Outbox,
{
    /// Looks at all that matters, until `until` at most, and writes the gauges. Where something can't be
    /// read it writes none, so that no alarm is calm for want of a look, and fails.
    pub(crate) async fn look(&self, until: Instant) -> Result<Value, Error> {
        let ticks = &self.sources.ticks;
        let mut seen = self.sources.look(until).await;
        // This is the look that it asks for.
        if let Ok(ticks) = &mut seen.ticks {
            ticks.watched_at = Some(seen.now);
        }
        let report = decide(&seen);
        for reason in &report.reasons {
            let code = json!(reason.code);
            let severity = json!(reason.severity);
            if reason.severity == Severity::Later {
                tracing::info!(%code, %severity, reason = reason.message, "not as it should be");
            } else {
                tracing::warn!(%code, %severity, reason = reason.message, "not as it should be");
            }
        }
        if !is_whole(&report) {
            return Err("not everything could be looked at".into());
        }
        let mut metrics = Metrics::default();
        for (metric, value) in gauges(&seen, &report) {
            metrics.measure(metric, value);
        }
        drop(metrics);
        ticks.note(Tick::Watched, seen.now).await?;
        tracing::info!(
            well = report.well,
            reasons = report.reasons.len(),
            "watched"
        );
        Ok(json!({"well": report.well}))
    }
}
