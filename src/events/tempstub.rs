//! Temporary.
use crate::{attribution::Record, error::Error, store::Store};
use std::sync::Arc;
use std::time::Duration;
/// x
pub trait Sink: Send {
    /// x
    fn name(&self) -> &str;
    /// x
    fn deliver(&mut self, r: &[Arc<Record>]) -> Result<(), Error>;
}
/// x
#[derive(Debug)]
pub struct Delivery;
/// x
#[derive(Debug, Clone, Default)]
pub struct SinkStatistics;
impl Delivery {
    /// x
    pub fn start(_: Arc<dyn Store>, _: Vec<Box<dyn Sink>>) -> Result<Self, Error> {
        Ok(Self)
    }
    /// x
    pub fn drain(&self, _: Duration) -> Result<(), Error> {
        Ok(())
    }
    /// x
    pub fn statistics(&self) -> Vec<SinkStatistics> {
        vec![]
    }
}
