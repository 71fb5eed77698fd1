use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::AtomicI64;

use async_trait::async_trait;
use onefold_service::retry::Failure;
use onefold_service::store::StoreError;
use tokio::sync::Semaphore;

use super::*;

/// A clock that goes with the time of the test.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + self.0.elapsed()
    }
}

/// What a shared pace says, one after the other.
#[derive(Clone, Copy)]
enum Says {
    /// A moment so many milliseconds from now, said after so many.
    At(i64, u64),
    Full,
    TooLong,
    Fails,
    Nothing,
}

struct ScriptedPace {
    clock: Arc<TestClock>,
    says: Mutex<VecDeque<Says>>,
    leads: Mutex<Vec<u128>>,
    under_way: AtomicI64,
    held_off: Mutex<Option<Duration>>,
}

#[async_trait]
impl CallPace for ScriptedPace {
    fn name_call(&self) -> CallId {
        CallId(Uuid::from_u128(7))
    }

    async fn take(&self, ask: &PaceRequest) -> Result<PaceGrant, Failure> {
        assert_eq!((ask.call, ask.lasts), (self.name_call(), CALL + MARGIN));
        self.leads.lock().unwrap().push(ask.lead.as_millis());
        self.under_way.store(1, Ordering::SeqCst);
        let asked = self.clock.now();
        let says = self.says.lock().unwrap().pop_front().unwrap();
        match says {
            Says::At(wait, took) => {
                sleep(Duration::from_millis(took)).await;
                Ok(PaceGrant::At(asked + TimeDelta::milliseconds(wait)))
            }
            Says::Full => Ok(PaceGrant::Full),
            Says::TooLong => Ok(PaceGrant::TooLong),
            Says::Fails => Err(Failure::Store(StoreError::Backend("no".into()))),
            Says::Nothing => pending().await,
        }
    }

    async fn give_back(&self, _: CallId, hold_off: Option<Duration>) -> Result<(), Failure> {
        sleep(Duration::from_millis(5)).await;
        self.under_way.store(0, Ordering::SeqCst);
        *self.held_off.lock().unwrap() = hold_off;
        Ok(())
    }
}

const CALL: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(1);

struct Bench {
    pace: Arc<ScriptedPace>,
    turns: Turns,
    places: Arc<Semaphore>,
}

fn bench(says: impl IntoIterator<Item = Says>) -> Bench {
    let clock = Arc::new(TestClock(Instant::now()));
    let pace = Arc::new(ScriptedPace {
        clock: clock.clone(),
        says: Mutex::new(says.into_iter().collect()),
        leads: Mutex::default(),
        under_way: AtomicI64::new(0),
        held_off: Mutex::default(),
    });
    let limits = PaceLimits { calls_per_second: 4, concurrency: 1 };
    let turns = Turns::new(limits, PATIENCE, clock, Some(pace.clone()));
    Bench { pace, turns, places: Arc::new(Semaphore::new(1)) }
}

impl Bench {
    async fn place(&self) -> Place {
        self.turns.place(Arc::clone(&self.places).acquire_owned().await.unwrap())
    }

    /// How many milliseconds a turn was waited for.
    async fn turn(&self) -> (Result<(), Crowded>, u128) {
        let before = Instant::now();
        let mut place = self.place().await;
        let turn = self.turns.wait(&mut place, before + PATIENCE, CALL).await;
        (turn, before.elapsed().as_millis())
    }

    fn leads(&self) -> Vec<u128> {
        self.pace.leads.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_at_its_moment() {
    assert_eq!(bench([Says::At(200, 3)]).turn().await, (Ok(()), 200));
    assert_eq!(bench([Says::TooLong]).turn().await, (Err(Crowded), 0));
}

#[tokio::test(start_paused = true)]
async fn a_place_is_waited_for_as_long_as_patience_lasts() {
    let bench = bench([Says::Full; 4].into_iter().chain([Says::At(0, 0)]).chain([Says::Full; 60]));
    assert_eq!(bench.turn().await, (Ok(()), 120));
    let (turn, waited) = bench.turn().await;
    assert_eq!(turn, Err(Crowded));
    assert!((1_000..1_050).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_takes_a_moment_that_it_can_reach() {
    let bench = bench([Says::At(0, 70), Says::At(70, 60)]);
    assert_eq!(bench.turn().await, (Ok(()), 140));
    assert_eq!(bench.leads(), [0, 70]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_always_late_goes_on() {
    let bench = bench([Says::At(0, 70); 4]);
    assert_eq!(bench.turn().await, (Ok(()), 280));
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_of_the_store_this_process_keeps_its_own_pace() {
    let bench = bench([Says::Nothing, Says::Fails, Says::Fails]);
    assert_eq!(bench.turn().await, (Ok(()), 500));
    // Each waits until the one before gave its place back, and for its moment.
    assert_eq!(bench.turn().await.0, Ok(()));
    let before = Instant::now();
    bench.turn().await.0.unwrap();
    assert!((250..=263).contains(&before.elapsed().as_millis()), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_place_is_given_back_before_the_next_call_asks() {
    let bench = bench([Says::At(0, 0), Says::At(0, 0)]);
    let mut place = bench.place().await;
    bench.turns.wait(&mut place, Instant::now(), CALL).await.unwrap();
    bench.turns.hold_off(PATIENCE, &mut place);
    drop(place);
    assert_eq!(bench.pace.under_way.load(Ordering::SeqCst), 1);
    let next = bench.place().await;
    assert_eq!(bench.pace.under_way.load(Ordering::SeqCst), 0);
    assert_eq!(*bench.pace.held_off.lock().unwrap(), Some(PATIENCE));
    // Who never asked has nothing to give back, and nobody waits for it.
    drop(next);
    assert_eq!(bench.places.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_while_it_waits_leaves_nothing_behind() {
    let bench = bench([Says::At(900, 0)]);
    assert!(timeout(Duration::from_millis(100), bench.turn()).await.is_err());
    drop(bench.place().await);
    assert_eq!(bench.pace.under_way.load(Ordering::SeqCst), 0);
}
