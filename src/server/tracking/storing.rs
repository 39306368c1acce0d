//! What tracking requests of other systems have handed to the store that it has not stored yet: some of it at a
//! time, all of them together.
//!
//! Must not know what it is. A request goes on handing over while the oldest of what it handed over is being
//! stored, so that the committer has work, and a slow disk is waited for a few times, however much there is.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::store::Receipt;

/// So many are handed to the store before others get their turn.
const BETWEEN_TURNS: usize = 64;
/// So many calls of all tracking requests of other systems wait for the disk at most, and no more than a part of
/// all calls that may. Each may hold a row of the ledger until it is stored.
const MOST_AT_ONCE: usize = 512;
const PARTS_OF_THE_QUEUE: usize = 8;

/// The room in the store's queue for what systems tell. Who waits for it gets it in turn: who tells little does not
/// wait for who tells much.
#[derive(Debug, Clone)]
pub(in crate::server) struct Room(Arc<Semaphore>);

/// The room for one call. It is free again when what was called for is stored, also where nobody waits for it any
/// more.
#[derive(Debug)]
pub(super) struct Seat(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

impl Room {
    pub(in crate::server) fn of_queue(entries: usize) -> Self {
        let most = (entries / PARTS_OF_THE_QUEUE).clamp(1, MOST_AT_ONCE);
        Self(Arc::new(Semaphore::new(most)))
    }

    /// A seat, if there is one.
    pub(super) fn free(&self) -> Option<Seat> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(Seat)
    }
}

/// Lets others have their turn, every so often.
pub(super) async fn let_others(place: usize) {
    if place % BETWEEN_TURNS == BETWEEN_TURNS - 1 {
        tokio::task::yield_now().await;
    }
}

/// What one request has handed over, the oldest first.
pub(super) struct Storing {
    room: Room,
    flying: VecDeque<Flying>,
    seated: usize,
    kept: usize,
}

struct Flying {
    receipt: Receipt,
    environment: Arc<Environment>,
    seat: Option<Seat>,
}

impl Storing {
    pub(super) fn new(room: &Room) -> Self {
        Self { room: room.clone(), flying: VecDeque::new(), seated: 0, kept: 0 }
    }

    /// A seat for a call; asked for before it. Waits for one, and meanwhile for the oldest of its own. Once it is
    /// known that something is not stored there is none: what depends on it must not be stored without it.
    pub(super) async fn seat(&mut self, environment: &Environment) -> Result<Seat, Refusal> {
        self.seated += 1;
        let_others(self.seated).await;
        self.let_land().or_else(|cause| self.landed(Err(cause)))?;
        match self.room.free() {
            Some(seat) => Ok(seat),
            None => environment.in_time(self.next_seat()).await,
        }
    }

    /// One more, if there is one at once.
    pub(super) fn free_seat(&mut self) -> Option<Seat> {
        self.let_land().ok().and_then(|()| self.room.free())
    }

    /// Lets go of what is stored by now. What is known not to be stored stays the oldest, with its cause.
    fn let_land(&mut self) -> Result<(), Error> {
        while let Some(oldest) = self.flying.front_mut() {
            match (&mut oldest.receipt).now_or_never() {
                Some(Ok(())) => drop(self.flying.pop_front()),
                Some(Err(cause)) => return Err(cause),
                None => break,
            }
        }
        Ok(())
    }

    async fn next_seat(&mut self) -> Result<Seat, Refusal> {
        // It stays in line while its own are waited for.
        let mut next = pin!(Arc::clone(&self.room.0).acquire_owned());
        loop {
            let seat = match self.flying.front_mut() {
                None => next.as_mut().await,
                Some(oldest) => tokio::select! {
                    // First, so that there is no seat where it is known that the oldest is not stored.
                    biased;
                    stored = &mut oldest.receipt => {
                        self.landed(stored)?;
                        continue;
                    }
                    seat = &mut next => seat,
                },
            };
            return seat.map(Seat).map_err(|_| Refusal::stopping());
        }
    }

    /// Keeps what a call gave; an error where the store refused some of it. The rest is kept all the same: it is
    /// being stored, and has the seat until it is.
    pub(super) fn keep(
        &mut self,
        seat: Seat,
        environment: &Arc<Environment>,
        receipts: impl IntoIterator<Item = Receipt>,
    ) -> Result<(), Refusal> {
        let mut refused = None;
        for receipt in receipts {
            self.kept += 1;
            if let Some(cause) = receipt.refusal() {
                refused.get_or_insert_with(|| cause.clone());
                continue;
            }
            let environment = Arc::clone(environment);
            self.flying.push_back(Flying { receipt, environment, seat: None });
        }
        // What a call gave is stored when the last of it is.
        if let Some(last) = self.flying.back_mut().filter(|last| last.seat.is_none()) {
            last.seat = Some(seat);
        }
        refused.map_or(Ok(()), |cause| Err(self.refused(environment, &cause)))
    }

    /// Waits until all is stored that was handed over.
    pub(super) async fn all_stored(&mut self) -> Result<(), Refusal> {
        let Some(first) = self.flying.front() else { return Ok(()) };
        let environment = Arc::clone(&first.environment);
        let stored = async {
            while let Some(oldest) = self.flying.front_mut() {
                let stored = (&mut oldest.receipt).await;
                self.landed(stored)?;
            }
            Ok(())
        };
        environment.in_time(stored).await
    }

    fn landed(&mut self, stored: Result<(), Error>) -> Result<(), Refusal> {
        let oldest = self.flying.pop_front();
        match (stored, oldest) {
            (Err(cause), Some(oldest)) => Err(self.refused(&oldest.environment, &cause)),
            _ => Ok(()),
        }
    }

    fn refused(&self, environment: &Environment, cause: &Error) -> Refusal {
        let refusal = environment.not_stored(cause);
        if self.kept > 1 { Refusal::not_all_stored() } else { refusal }
    }
}

/// What nobody waits for any more is stored all the same, and has its seats until it is.
impl Drop for Storing {
    fn drop(&mut self) {
        let flying = std::mem::take(&mut self.flying);
        let left: Vec<_> = flying.into_iter().map(|one| (one.receipt, one.seat)).collect();
        if let (false, Ok(runtime)) = (left.is_empty(), Handle::try_current()) {
            runtime.spawn(async move {
                for (receipt, seat) in left {
                    drop((receipt.await, seat));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    //! Seats, where the store refuses something.

    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Environment, Flying, Receipt, Room, Storing};
    use crate::client::Client;
    use crate::error::Error;
    use crate::server::environment::Wiring;
    use crate::server::figures::Figures;
    use crate::settings::EnvironmentSettings;

    fn environment() -> Arc<Environment> {
        let figures = Figures::new().of_environment("shop");
        let settings = EnvironmentSettings::of_datafile("datafiles/shop.json".parse().unwrap());
        let client = Client::from_datafile(std::fs::read("datafiles/shop.json").unwrap()).unwrap();
        let wiring = Wiring { patience: Duration::from_secs(1), ..Wiring::default() };
        Arc::new(Environment::new(client, &settings, figures, wiring))
    }

    fn refused() -> Receipt {
        Receipt::refused(Error::full("the store's queue", 1, "entries", "give it a quicker disk"))
    }

    /// What is taken of what a call gave keeps its seat, whatever is refused, and nothing else does.
    #[test]
    fn a_seat_is_kept_for_what_is_not_refused() {
        let environment = environment();
        let check = |receipts: Vec<Receipt>, flying: usize, is_good: bool| {
            let room = Room::of_queue(1);
            let mut storing = Storing::new(&room);
            let kept = storing.keep(room.free().unwrap(), &environment, receipts);
            assert_eq!((storing.flying.len(), kept.is_ok()), (flying, is_good));
            assert_eq!(room.free().is_none(), flying > 0, "of {flying}");
            assert!(storing.let_land().is_ok() && room.free().is_some());
        };
        check(vec![], 0, true);
        check(vec![Receipt::stored(), Receipt::stored()], 2, true);
        check(vec![refused()], 0, false);
        check(vec![refused(), Receipt::stored()], 1, false);
        check(vec![Receipt::stored(), refused(), Receipt::stored()], 2, false);
        check(vec![Receipt::stored(), refused()], 1, false);
    }

    /// Although there is room.
    #[test]
    fn after_what_is_known_not_to_be_stored_there_is_no_seat() {
        let environment = environment();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let check = |receipts: Vec<Receipt>, is_good: bool| {
            let room = Room::of_queue(64);
            let fly =
                |receipt| Flying { receipt, environment: Arc::clone(&environment), seat: None };
            let mut storing = Storing::new(&room);
            storing.flying = receipts.into_iter().map(fly).collect::<VecDeque<_>>();
            assert_eq!(storing.free_seat().is_some(), is_good, "one more");
            let seat = runtime.block_on(storing.seat(&environment));
            assert_eq!(seat.is_ok(), is_good);
            assert!(storing.flying.is_empty() && room.free().is_some());
        };
        check(vec![], true);
        check(vec![Receipt::stored(), Receipt::stored()], true);
        check(vec![Receipt::stored(), refused()], false);
        check(vec![refused()], false);
    }
}
