//! Writes GGUF files for tests, as ggml's docs/gguf.md describes them.

/// A file that is being written.
#[derive(Clone)]
pub struct Writer {
    version: u32,
    values: Vec<u8>,
    count: u64,
    tensors: Vec<(String, Vec<u64>, u32, Vec<u8>)>,
    alignment: usize,
}

/// A value of metadata.
#[derive(Clone)]
pub enum Item {
    U32(u32),
    F32(f32),
    Flag(bool),
    Text(&'static str),
    Words(Vec<&'static str>),
    Flags(Vec<bool>),
    Counts(Vec<u32>),
    /// The number of the type, and the bytes of the value.
    Raw(u32, Vec<u8>),
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// Returns the bytes of a list.
pub fn list(kind: u32, count: usize, items: Vec<u8>) -> Vec<u8> {
    [kind.to_le_bytes().to_vec(), (count as u64).to_le_bytes().to_vec(), items].concat()
}

impl Item {
    fn bytes(&self) -> (u32, Vec<u8>) {
        match self {
            Self::U32(value) => (4, value.to_le_bytes().to_vec()),
            Self::F32(value) => (6, value.to_le_bytes().to_vec()),
            Self::Flag(value) => (7, vec![u8::from(*value)]),
            Self::Text(value) => (8, text(value)),
            Self::Words(words) => {
                (9, list(8, words.len(), words.iter().flat_map(|word| text(word)).collect()))
            }
            Self::Flags(flags) => {
                (9, list(7, flags.len(), flags.iter().map(|flag| u8::from(*flag)).collect()))
            }
            Self::Counts(counts) => {
                let bytes = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
                (9, list(4, counts.len(), bytes))
            }
            Self::Raw(kind, bytes) => (*kind, bytes.clone()),
        }
    }
}

impl Writer {
    pub fn new(architecture: &'static str) -> Self {
        let empty = Self { version: 3, values: vec![], count: 0, tensors: vec![], alignment: 32 };
        empty.with("general.architecture", Item::Text(architecture))
    }

    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    pub fn with(mut self, key: &str, item: Item) -> Self {
        if let ("general.alignment", Item::U32(alignment)) = (key, &item) {
            self.alignment = *alignment as usize;
        }
        let (kind, bytes) = item.bytes();
        self.values.extend([text(key), kind.to_le_bytes().to_vec(), bytes].concat());
        self.count += 1;
        self
    }

    /// A tensor of f32, the fastest axis first.
    pub fn tensor(self, name: &str, axes: &[u64], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.raw_tensor(name, axes, 0, bytes)
    }

    pub fn raw_tensor(mut self, name: &str, axes: &[u64], kind: u32, bytes: Vec<u8>) -> Self {
        self.tensors.push((name.to_string(), axes.to_vec(), kind, bytes));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut file = [b"GGUF".as_slice(), &self.version.to_le_bytes()].concat();
        file.extend((self.tensors.len() as u64).to_le_bytes());
        file.extend(self.count.to_le_bytes());
        file.extend(&self.values);
        let mut data = Vec::new();
        for (name, axes, kind, bytes) in &self.tensors {
            file.extend(text(name));
            file.extend((axes.len() as u32).to_le_bytes());
            axes.iter().for_each(|len| file.extend(len.to_le_bytes()));
            file.extend(kind.to_le_bytes());
            file.extend((data.len() as u64).to_le_bytes());
            data.extend(bytes);
            data.resize(data.len().next_multiple_of(self.alignment), 0);
        }
        file.resize(file.len().next_multiple_of(self.alignment), 0);
        file.extend(data);
        file
    }
}
