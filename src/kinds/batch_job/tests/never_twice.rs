//! Whatever happens, and wherever the operator dies: an unchanged spec never runs twice unless it is
//! asked for, what is asked for runs once, no two runs write at once, no name is used for two Jobs,
//! and in the end the spec has run.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::{
    super::{
        RUN,
        runs::{self, NUMBER},
    },
    fixtures::{Around, container, identity, job, kind, record, with},
};
use crate::{
    api::{BatchJob, batch_job::RunResult},
    build::types::{JOB, POD},
    engine::{Kind, Record, Report},
};

const TTL: i64 = 100;

/// Something that happens outside of the operator, or a pass of it.
#[derive(Clone, Debug)]
enum Event {
    /// The user writes a spec: one of three.
    Spec(u8),
    Suspend(bool),
    /// The user asks for a run of this number.
    Asks(u8),
    /// The operator does a pass, and dies after so many steps of it (apply, prune, status).
    Pass {
        steps: u8,
    },
    /// The Job controller makes a pod.
    PodStarts,
    /// The run ends.
    Ends {
        succeeded: bool,
    },
    /// Pods that were told to stop are gone.
    PodsGone,
    /// Somebody deletes the Job of a run that status knows.
    UserDeletes,
    Time(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..3_u8).prop_map(Event::Spec),
        2 => any::<bool>().prop_map(Event::Suspend),
        2 => (1..9_u8).prop_map(Event::Asks),
        6 => (0..4_u8).prop_map(|steps| Event::Pass { steps }),
        4 => Just(Event::Pass { steps: 3 }),
        3 => Just(Event::PodStarts),
        2 => any::<bool>().prop_map(|succeeded| Event::Ends { succeeded }),
        3 => Just(Event::PodsGone),
        1 => Just(Event::UserDeletes),
        2 => (1..120_u8).prop_map(Event::Time),
    ]
}

#[derive(Clone, Debug)]
struct SimJob {
    name: String,
    hash: String,
    created: i64,
    /// When it ended, and how.
    end: Option<(i64, bool)>,
}

#[derive(Clone, Debug)]
struct SimPod {
    name: String,
    job: String,
    active: bool,
    stopping: bool,
}

/// What became of a run that was made.
#[derive(Clone, Debug, Default, PartialEq)]
struct Made {
    name: String,
    hash: String,
    finished: bool,
    deleted_by_user: bool,
}

/// The cluster as it is, and what the test remembers.
struct World {
    spec: u8,
    suspend: bool,
    asked: u64,
    status: Option<crate::api::BatchJobStatus>,
    jobs: Vec<SimJob>,
    pods: Vec<SimPod>,
    clock: i64,
    made: Vec<Made>,
}

impl World {
    fn new() -> Self {
        Self {
            spec: 0,
            suspend: false,
            asked: 0,
            status: None,
            jobs: Vec::new(),
            pods: Vec::new(),
            clock: 0,
            made: Vec::new(),
        }
    }

    fn root(&self) -> BatchJob {
        let spec = with(
            container(&format!("work-{}", self.spec)),
            &json!({"suspend": self.suspend, "ttlAfterFinished": format!("{TTL}s")}),
        );
        let mut root = BatchJob { status: self.status.clone(), ..job(&spec) };
        if self.asked > 0 {
            let asked = (NUMBER.to_owned(), self.asked.to_string());
            root.metadata.annotations.get_or_insert_default().extend([asked]);
        }
        root
    }

    fn around(&self) -> Around {
        let jobs = self.jobs.iter().map(|job| Arc::new(Self::job_record(job))).collect();
        let pods = self.pods.iter().map(|pod| Arc::new(pod_record(pod))).collect();
        Around { jobs, pods, clock: self.clock, ..Around::new() }
    }

    fn job_record(job: &SimJob) -> Record {
        let status = match job.end {
            None => json!({"active": 1}),
            Some((end, succeeded)) => {
                let time = super::fixtures::at(end).to_string();
                let type_ = if succeeded { "Complete" } else { "Failed" };
                json!({"conditions": [{
                    "type": type_, "status": "True", "lastTransitionTime": time,
                    "reason": "BackoffLimitExceeded",
                }]})
            }
        };
        let mut record = record(JOB, &job.name, "root-uid", job.created, json!({"status": status}));
        Arc::make_mut(&mut record.labels).insert(RUN.to_owned(), job.hash.clone());
        record
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Spec(spec) => self.spec = *spec,
            Event::Suspend(suspend) => self.suspend = *suspend,
            Event::Asks(number) => self.asked = u64::from(*number),
            Event::Pass { steps } => self.pass(*steps),
            Event::PodStarts => self.pod_starts(),
            Event::Ends { succeeded } => self.ends(*succeeded),
            Event::PodsGone => self.pods.retain(|pod| !pod.stopping),
            Event::UserDeletes => self.user_deletes(),
            Event::Time(seconds) => self.clock += i64::from(*seconds),
        }
    }

    /// A pass of the operator, as the engine does it.
    fn pass(&mut self, steps: u8) {
        let (kind, root) = (kind(), self.root());
        let resolved = self.around().resolve(&root);
        let problems = kind.validate(&root, &resolved);
        assert_eq!(problems, []);
        let plan = kind.plan(&root, &resolved);
        if steps == 0 {
            return;
        }
        for child in plan.children.iter().filter(|child| child.resource == JOB) {
            let hash =
                child.object.pointer(&format!("/metadata/labels/{}", RUN.replace('/', "~1")));
            self.apply(&child.key().name, hash.unwrap().as_str().unwrap());
        }
        if steps == 1 {
            return;
        }
        let wanted: Vec<_> =
            plan.children.iter().map(crate::engine::Child::key).chain(plan.keep.clone()).collect();
        let stale: Vec<String> = self
            .jobs
            .iter()
            .map(|job| job.name.clone())
            .filter(|name| !wanted.iter().any(|key| key.resource == JOB && &key.name == name))
            .collect();
        for name in &stale {
            self.delete(name);
        }
        if steps == 2 {
            return;
        }
        let resolved = self.around().resolve(&root);
        self.status = Some(kind.status(&root, &resolved, &Report::default()));
    }

    fn apply(&mut self, name: &str, hash: &str) {
        if self.jobs.iter().any(|job| job.name == name) {
            return;
        }
        assert!(self.made.iter().all(|run| run.name != name), "{name} was used before");
        assert!(self.jobs.iter().all(|job| job.end.is_some()), "{name}: a Job goes on");
        assert!(self.pods.iter().all(|pod| !pod.active), "{name}: a pod is active");
        let is_asked = |last: &Made| number(&last.name) < self.asked;
        if let Some(last) = self.made.last().filter(|last| last.hash == hash && !is_asked(last)) {
            assert!(!last.finished, "{name} repeats {}, which had ended", last.name);
            assert!(!last.deleted_by_user, "{name} repeats {}, which was stopped", last.name);
        }
        self.made.push(Made { name: name.to_owned(), hash: hash.to_owned(), ..Made::default() });
        self.jobs.push(SimJob {
            name: name.to_owned(),
            hash: hash.to_owned(),
            created: self.clock,
            end: None,
        });
    }

    /// In the background: the Job is gone at once, its pods are told to stop.
    fn delete(&mut self, name: &str) {
        self.jobs.retain(|job| job.name != name);
        for pod in self.pods.iter_mut().filter(|pod| pod.job == name) {
            pod.stopping = true;
        }
    }

    fn pod_starts(&mut self) {
        let idle = |job: &&SimJob| {
            job.end.is_none() && !self.pods.iter().any(|pod| pod.job == job.name && pod.active)
        };
        if let Some(job) = self.jobs.iter().find(idle).map(|job| job.name.clone()) {
            self.pods.push(SimPod {
                name: format!("{job}-{}", self.pods.len()),
                job,
                active: true,
                stopping: false,
            });
        }
    }

    fn ends(&mut self, succeeded: bool) {
        let clock = self.clock;
        if let Some(job) = self.jobs.iter_mut().find(|job| job.end.is_none()) {
            job.end = Some((clock, succeeded));
            for pod in self.pods.iter_mut().filter(|pod| pod.job == job.name) {
                pod.active = false;
            }
            for run in self.made.iter_mut().filter(|run| run.name == job.name) {
                run.finished = true;
            }
        }
    }

    /// Not one that we were about to stop: that it starts again is right then.
    fn user_deletes(&mut self) {
        let known = self.status.iter().flat_map(|status| &status.runs);
        let known: Vec<String> = known
            .filter(|run| !runs::is_said_to_stop(&self.root(), &run.name))
            .map(|run| run.name.clone())
            .collect();
        let job = self.jobs.iter().rev().find(|job| known.contains(&job.name));
        if let Some(name) = job.map(|job| job.name.clone()) {
            self.delete(&name);
            for run in self.made.iter_mut().filter(|run| run.name == name) {
                run.deleted_by_user = true;
            }
        }
    }

    /// No more surprises.
    fn settle(&mut self) {
        self.suspend = false;
        for _ in 0..8 {
            self.pods.retain(|pod| !pod.stopping);
            self.pass(3);
            self.pod_starts();
            self.pass(3);
            self.ends(true);
            self.pass(3);
        }
    }
}

/// Of a run, by the name of its Job.
fn number(name: &str) -> u64 {
    name.rsplit('-').next().unwrap().parse().unwrap()
}

fn pod_record(pod: &SimPod) -> Record {
    let phase = if pod.active { "Running" } else { "Succeeded" };
    let mut record =
        record(POD, &pod.name, &format!("{}-uid", pod.job), 0, json!({"status": {"phase": phase}}));
    record.labels = Arc::new(identity("container"));
    record.deleting = pod.stopping;
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_spec_never_runs_twice(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        world.settle();
        let root = world.root();
        let last = world.made.last().unwrap();
        prop_assert_eq!(&last.hash, &runs::hash(&root));
        prop_assert!(number(&last.name) >= world.asked, "{} was asked for: {:?}", world.asked, last);
        prop_assert!(world.pods.iter().all(|pod| !pod.active));
        // The newest run has ended, unless somebody stopped it.
        let run = world.status.as_ref().unwrap().last_run.clone().unwrap();
        prop_assert_eq!(&run.name, &last.name);
        prop_assert!(last.finished || last.deleted_by_user, "{:?}", last);
        let is_told = match run.result {
            RunResult::Succeeded | RunResult::Failed => last.finished,
            RunResult::Cancelled => last.deleted_by_user,
            RunResult::Pending | RunResult::Running => false,
        };
        prop_assert!(is_told, "{:?} is told as {:?}", last, run);
        // It stays so.
        let before = (world.made.clone(), world.status.clone());
        world.pass(3);
        prop_assert_eq!(before, (world.made.clone(), world.status.clone()));
        // The Job goes once its time is over, and that starts nothing.
        world.clock += TTL;
        world.pass(3);
        prop_assert_eq!(world.jobs.len(), 0);
        world.pass(3);
        prop_assert_eq!(world.jobs.len(), 0);
    }
}
