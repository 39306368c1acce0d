//! The arguments of `serve` for OFREP.
//!
//! Must not know defaults: they are those of the settings.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::settings::{GivenOfrep, NamedFlagValue, OffValue, Span};

#[derive(Debug, Args)]
pub(super) struct OfrepArguments {
    /// What a flag's value is: auto (by its variables), enabled, object or variable:KEY; may be repeated [default: auto]
    #[arg(long, value_name = "[FLAG=]VALUE", env = "VARIATE_OFREP_VALUE", value_delimiter = ';')]
    ofrep_value: Vec<NamedFlagValue>,

    /// What it is where the flag is off: the datafile's defaults, or none for the caller's [default: defaults]
    #[arg(long, value_name = "defaults|caller", env = "VARIATE_OFREP_OFF")]
    ofrep_off: Option<OffValue>,

    /// Count a bulk evaluation as an exposure to all flags in it
    #[arg(
        long,
        value_name = "true|false",
        env = "VARIATE_OFREP_BULK_ACTIVATES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    ofrep_bulk_activates: Option<bool>,

    /// After how long in the background a client closes its stream of changes [default: 2m]
    #[arg(long, value_name = "SPAN", env = "VARIATE_OFREP_INACTIVITY_DELAY")]
    ofrep_inactivity_delay: Option<Span>,

    /// How many streams of changes are open at once; others are refused [default: 1024]
    #[arg(long, value_name = "COUNT", env = "VARIATE_OFREP_STREAMS")]
    ofrep_streams: Option<usize>,

    /// How often a quiet stream says that it is there [default: 15s]
    #[arg(long, value_name = "SPAN", env = "VARIATE_OFREP_STREAM_KEEPALIVE")]
    ofrep_stream_keepalive: Option<Span>,
}

impl OfrepArguments {
    pub(super) fn given(&self) -> GivenOfrep {
        let mut given = GivenOfrep {
            off: self.ofrep_off,
            bulk_activates: self.ofrep_bulk_activates,
            inactivity_delay: self.ofrep_inactivity_delay,
            streams: self.ofrep_streams,
            stream_keepalive: self.ofrep_stream_keepalive,
            ..GivenOfrep::default()
        };
        self.ofrep_value.iter().cloned().for_each(|value| given.add(value));
        given
    }
}
