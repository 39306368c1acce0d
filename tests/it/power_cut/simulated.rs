//! A disk that remembers what was asked of it and what was made safe, and can be cut at any moment.
//!
//! What is safe: the bytes of a file, and its length, that were there when a sync of the file began; the
//! names in a folder that were there when a sync of the folder began. Behind that anything may be
//! there: of what was written, any sectors, as they were, zeroed or garbled, and of the names in a folder a
//! part of the changes, in their order. On a strict disk that is all. On a usual one (ext4, xfs, btrfs)
//! changes of names are kept in their order over all folders, and any sync makes those before it safe.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;

use super::disk::{Content, Picture};
use super::trace::{At, Op};

/// A file or folder, by its place among all that ever were.
type NodeId = usize;

#[derive(Debug, Default)]
struct Node {
    is_folder: bool,
    changes: Vec<Change>,
    /// So many of them are safe.
    synced: usize,
    /// What is in a folder as the process sees it.
    names: BTreeMap<String, NodeId>,
    length: u64,
}

#[derive(Debug, Clone)]
struct Change {
    /// How many ops were over.
    at: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Write(u64, Arc<Vec<u8>>),
    Resize(u64),
    /// Names that are something else now, in one step.
    Names(Vec<(String, Option<NodeId>)>),
}

#[derive(Debug)]
struct Opened {
    node: NodeId,
    place: u64,
    is_appending: bool,
}

#[derive(Debug)]
pub(super) struct SimulatedDisk {
    root: PathBuf,
    nodes: Vec<Node>,
    opened: HashMap<u32, Opened>,
    ops: usize,
    /// The op at which the last sync of anything began.
    last_sync: usize,
}

impl SimulatedDisk {
    /// The folder that is `root` is there and empty.
    pub(super) fn new(root: &Path) -> Self {
        let node = Node { is_folder: true, ..Node::default() };
        Self { root: root.into(), nodes: vec![node], opened: HashMap::new(), ops: 0, last_sync: 0 }
    }

    /// Another process goes on.
    pub(super) fn begin_process(&mut self) {
        self.opened.clear();
    }

    /// Takes an op of a process that began when so many ops were over.
    pub(super) fn apply(&mut self, op: &Op, before: usize) {
        match op {
            Op::Said(_) => {}
            Op::Open { fd, at, is_emptied, is_appending } => {
                let node = self.open(at);
                self.opened.remove(fd);
                if let Some(node) = node {
                    if *is_emptied && self.nodes[node].length > 0 {
                        self.change(node, What::Resize(0));
                    }
                    let opened = Opened { node, place: 0, is_appending: *is_appending };
                    self.opened.insert(*fd, opened);
                }
            }
            Op::Close { fd } => drop(self.opened.remove(fd)),
            Op::Seek { fd, place } => {
                if let Some(opened) = self.opened.get_mut(fd) {
                    opened.place = *place;
                }
            }
            Op::Write { fd, bytes } => self.write(*fd, bytes),
            Op::WriteAt { fd, place, bytes } => {
                if let Some(node) = self.opened.get(fd).map(|opened| opened.node) {
                    self.change(node, What::Write(*place, bytes.clone()));
                }
            }
            Op::Resize { fd, length } => {
                if let Some(node) = self.opened.get(fd).map(|opened| opened.node) {
                    self.change(node, What::Resize(*length));
                }
            }
            Op::Sync { fd, began } => self.sync(*fd, before + began),
            Op::MakeFolder { at } => {
                if let Some((folder, name)) = self.place_of(at) {
                    let node = self.add(true);
                    self.change(folder, What::Names(vec![(name, Some(node))]));
                }
            }
            Op::Rename { from, to } => self.rename(from, to),
            Op::Remove { at } => {
                if let Some((folder, name)) = self.place_of(at) {
                    self.change(folder, What::Names(vec![(name, None)]));
                }
            }
        }
        self.ops += 1;
    }

    /// The folder that a path inside of the root ends in, as the process knows it, and the name there.
    fn place_of(&self, at: &At) -> Option<(NodeId, String)> {
        let (from, inside) = match at.folder.filter(|_| at.path.is_relative()) {
            Some(fd) => (self.opened.get(&fd)?.node, &*at.path),
            None => (0, at.path.strip_prefix(&self.root).ok()?),
        };
        let name = |part: Component<'_>| match part {
            Component::Normal(name) => name.to_str().unwrap().to_owned(),
            _ => panic!("a path that is not plain: {at:?}"),
        };
        let mut names: Vec<String> = inside.components().map(name).collect();
        let name = names.pop()?;
        let step = |folder: NodeId, name: &String| self.nodes[folder].names.get(name).copied();
        let folder = names.iter().try_fold(from, step)?;
        Some((folder, name))
    }

    fn open(&mut self, at: &At) -> Option<NodeId> {
        let Some((folder, name)) = self.place_of(at) else {
            return (at.path == self.root).then_some(0);
        };
        if let Some(node) = self.nodes[folder].names.get(&name) {
            return Some(*node);
        }
        let node = self.add(false);
        self.change(folder, What::Names(vec![(name, Some(node))]));
        Some(node)
    }

    fn add(&mut self, is_folder: bool) -> NodeId {
        self.nodes.push(Node { is_folder, ..Node::default() });
        self.nodes.len() - 1
    }

    fn change(&mut self, node: NodeId, what: What) {
        let node = &mut self.nodes[node];
        match &what {
            What::Write(place, bytes) => node.length = node.length.max(place + bytes.len() as u64),
            What::Resize(length) => node.length = *length,
            What::Names(names) => {
                for (name, there) in names {
                    match there {
                        Some(there) => drop(node.names.insert(name.clone(), *there)),
                        None => drop(node.names.remove(name)),
                    }
                }
            }
        }
        node.changes.push(Change { at: self.ops, what });
    }

    fn write(&mut self, fd: u32, bytes: &Arc<Vec<u8>>) {
        let Some(Opened { node, place, is_appending }) = self.opened.get(&fd) else { return };
        let node = *node;
        let place = if *is_appending { self.nodes[node].length } else { *place };
        self.change(node, What::Write(place, bytes.clone()));
        if let Some(opened) = self.opened.get_mut(&fd) {
            opened.place = place + bytes.len() as u64;
        }
    }

    fn sync(&mut self, fd: u32, began: usize) {
        let Some(node) = self.opened.get(&fd).map(|opened| opened.node) else { return };
        let node = &mut self.nodes[node];
        let there = node.changes.iter().filter(|change| change.at < began).count();
        node.synced = node.synced.max(there);
        self.last_sync = self.last_sync.max(began);
    }

    fn rename(&mut self, from: &At, to: &At) {
        let (Some((folder, from)), Some((into, to))) = (self.place_of(from), self.place_of(to))
        else {
            return;
        };
        assert_eq!(folder, into, "renames stay in their folder");
        let node = self.nodes[folder].names[&from];
        self.change(folder, What::Names(vec![(to, Some(node)), (from, None)]));
    }

    /// What is found after a cut now: the folders, and the files.
    pub(super) fn cut(&self, random: &mut StdRng) -> (Vec<PathBuf>, Picture) {
        let is_strict: bool = random.random();
        let kept_through = random.random_range(self.last_sync..=self.ops);
        let fate = Fate::draw(random);
        let kept_through = (!is_strict).then_some(kept_through);
        let (folders, files) = (Vec::new(), Picture::new());
        let mut cut = Cut { disk: self, kept_through, fate, folders, files };
        cut.folder(0, Path::new(""), random);
        (cut.folders, cut.files)
    }
}

/// What becomes of what is not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    Kept,
    /// Each by chance.
    Mixed,
}

impl Fate {
    fn draw(random: &mut StdRng) -> Self {
        [Self::Lost, Self::Kept, Self::Mixed, Self::Mixed][random.random_range(0..4)]
    }
}

struct Cut<'a> {
    disk: &'a SimulatedDisk,
    /// On a usual disk: changes of names up to this op are kept.
    kept_through: Option<usize>,
    fate: Fate,
    folders: Vec<PathBuf>,
    files: Picture,
}

impl Cut<'_> {
    fn folder(&mut self, node: NodeId, path: &Path, random: &mut StdRng) {
        let node = &self.disk.nodes[node];
        let kept = match self.kept_through {
            Some(through) => node.changes.iter().filter(|change| change.at < through).count(),
            None => match self.fate {
                Fate::Lost => 0,
                Fate::Kept => node.changes.len(),
                Fate::Mixed => random.random_range(node.synced..=node.changes.len()),
            },
        };
        let mut names = BTreeMap::new();
        for change in &node.changes[..kept.max(node.synced)] {
            let What::Names(changed) = &change.what else { panic!("a folder was written to") };
            for (name, there) in changed {
                names.remove(name);
                names.extend(there.map(|there| (name, there)));
            }
        }
        self.folders.push(path.into());
        for (name, there) in names {
            let path = path.join(name);
            if self.disk.nodes[there].is_folder {
                self.folder(there, &path, random);
            } else {
                let content = self.file(there, random);
                self.files.insert(path, content);
            }
        }
    }

    fn file(&self, node: NodeId, random: &mut StdRng) -> Content {
        let node = &self.disk.nodes[node];
        let (mut bytes, mut length) = (Vec::new(), 0);
        for change in &node.changes[..node.synced] {
            write(&change.what, &mut bytes, &mut length);
        }
        let sector = [1, 64, 512, 4096][random.random_range(0..4)];
        for change in &node.changes[node.synced..] {
            match self.fate {
                Fate::Lost => {}
                Fate::Kept => write(&change.what, &mut bytes, &mut length),
                Fate::Mixed => write_in_part(&change.what, sector, &mut bytes, &mut length, random),
            }
        }
        Content { bytes: Arc::new(bytes), length }
    }
}

fn write(what: &What, bytes: &mut Vec<u8>, length: &mut u64) {
    match what {
        What::Write(place, written) => {
            put(*place, written, bytes);
            *length = (*length).max(place + written.len() as u64);
        }
        What::Resize(to) => {
            bytes.truncate(usize::try_from(*to).unwrap());
            *length = *to;
        }
        What::Names(_) => panic!("a file has no names"),
    }
}

/// Sectors of it, each as it was written, as it was before, zeroed or garbled; and the length, or not.
fn write_in_part(
    what: &What,
    sector: usize,
    bytes: &mut Vec<u8>,
    length: &mut u64,
    random: &mut StdRng,
) {
    let What::Write(place, written) = what else {
        if random.random() {
            write(what, bytes, length);
        }
        return;
    };
    let mut place = *place;
    for part in written.chunks(sector) {
        let mut part = part.to_vec();
        match random.random_range(0..8) {
            0 => part.fill(0),
            1 => random.fill(&mut part[..]),
            2 => part.clear(),
            _ => {}
        }
        if !part.is_empty() {
            put(place, &part, bytes);
            *length = (*length).max(place + part.len() as u64);
        }
        place += sector as u64;
    }
}

fn put(place: u64, written: &[u8], bytes: &mut Vec<u8>) {
    let place = usize::try_from(place).unwrap();
    let end = place + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[place..end].copy_from_slice(written);
}
