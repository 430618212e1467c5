//! What NVIDIA's driver says: the CUDA version it knows, and its cards. Six functions of the CUDA driver API, asked
//! through its library, which comes with the driver and with nothing else.
//! API: <https://docs.nvidia.com/cuda/cuda-driver-api/>.

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_uint},
    mem::ManuallyDrop,
};

use libloading::{Library, Symbol};

use super::obstacle::{CUDA, Obstacle, loader_said};

/// The driver's library.
pub(super) const LIBRARY: &str = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };

/// `CUresult`: what a call can give beside 0, success.
const STUB_LIBRARY: c_int = 34;
const NO_DEVICE: c_int = 100;

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// e.g. `NVIDIA H100 80GB HBM3`.
    pub name: String,
    /// Bytes of memory.
    pub memory: u64,
}

/// What the driver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Driver {
    /// The newest CUDA it knows: major, minor.
    pub knows: (i32, i32),
    pub cards: Vec<Card>,
}

impl Driver {
    /// A card that the runtime can use.
    pub(super) fn card(self, index: u32) -> Result<Card, Obstacle> {
        if self.knows.0 < CUDA {
            return Err(Obstacle::OldDriver { knows: self.knows });
        }
        if self.cards.is_empty() {
            return Err(Obstacle::NoCard);
        }
        let found = usize::try_from(index).ok().and_then(|index| self.cards.get(index)).cloned();
        found.ok_or_else(|| Obstacle::NoSuchCard {
            index,
            cards: self.cards.into_iter().map(|card| card.name).collect(),
        })
    }
}

/// Asks the driver behind a library.
pub(super) fn ask(library: impl AsRef<OsStr>) -> Result<Driver, Obstacle> {
    // SAFETY: loading the driver's library runs its initialisers, which is what it is for.
    let library = unsafe { Library::new(library.as_ref()) }
        .map_err(|error| Obstacle::NoDriver { reason: loader_said(&error) })?;
    // Never closed: drivers have crashed at that, and the provider opens it again.
    let library = ManuallyDrop::new(library);
    let api = Api { library: &library };
    let mut number: c_int = 0;
    // SAFETY: the signatures are those of the driver API, stable since CUDA 4; the pointers are to live values of the
    // types that it fills, and a name is given with the size of its buffer and comes back with its final zero.
    unsafe {
        api.call("cuInit", |f: Symbol<'_, unsafe extern "C" fn(c_uint) -> c_int>| f(0))?;
        type Fills = unsafe extern "C" fn(*mut c_int) -> c_int;
        api.call("cuDriverGetVersion", |f: Symbol<'_, Fills>| f(&mut number))?;
        let knows = (number / 1000, number % 1000 / 10);
        api.call("cuDeviceGetCount", |f: Symbol<'_, Fills>| f(&mut number))?;
        let mut cards = Vec::new();
        for index in 0..number {
            type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
            type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
            type Memory = unsafe extern "C" fn(*mut usize, c_int) -> c_int;
            let (mut device, mut memory, mut name) = (0, 0, [0 as c_char; 256]);
            api.call("cuDeviceGet", |f: Symbol<'_, Get>| f(&mut device, index))?;
            let room = name.len() as c_int - 1;
            api.call("cuDeviceGetName", |f: Symbol<'_, Name>| f(name.as_mut_ptr(), room, device))?;
            api.call("cuDeviceTotalMem_v2", |f: Symbol<'_, Memory>| f(&mut memory, device))?;
            let name = CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned();
            cards.push(Card { name, memory: memory as u64 });
        }
        Ok(Driver { knows, cards })
    }
}

struct Api<'l> {
    library: &'l Library,
}

impl<'l> Api<'l> {
    /// # Safety
    /// `F` must be the function's type.
    unsafe fn call<F: 'l>(
        &self,
        name: &'static str,
        call: impl FnOnce(Symbol<'l, F>) -> c_int,
    ) -> Result<(), Obstacle> {
        // SAFETY: as the caller says.
        let symbol = unsafe { self.library.get::<F>(name.as_bytes()) };
        let symbol = symbol.map_err(|error| Obstacle::NoDriver { reason: loader_said(&error) })?;
        match call(symbol) {
            0 => Ok(()),
            NO_DEVICE => Err(Obstacle::NoCard),
            STUB_LIBRARY => Err(Obstacle::NoDriver { reason: format!("{LIBRARY} is a stub") }),
            code => Err(Obstacle::Driver { call: name, code }),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, path::Path, process::Command};

    use super::*;

    /// A library that answers as a driver with two cards, and gives `init` when it is asked to start.
    fn driver(folder: &Path, init: c_int, knows: c_int) -> std::path::PathBuf {
        let source = folder.join(format!("driver{init}.c"));
        let library = folder.join(format!("driver{init}.so"));
        let text = format!(
            "#include <string.h>\n#include <stddef.h>\nint cuInit(unsigned f) {{ return f ? 1 : {init}; }}\n\
             int cuDriverGetVersion(int *v) {{ *v = {knows}; return 0; }}\n\
             int cuDeviceGetCount(int *n) {{ *n = 2; return 0; }}\n\
             int cuDeviceGet(int *d, int i) {{ *d = 40 + i; return 0; }}\n\
             int cuDeviceGetName(char *s, int n, int d) {{ strncpy(s, d == 40 ? \"Card A\" : \"Card B\", n); return 0; }}\n\
             int cuDeviceTotalMem_v2(size_t *m, int d) {{ *m = ((size_t)d) << 30; return 0; }}\n"
        );
        fs::write(&source, text).expect("a temporary folder takes files");
        // Rust links with it, so it is here.
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
        assert!(made.expect("cc starts").success());
        library
    }

    #[test]
    fn cards_are_read_through_the_driver_s_own_calls() {
        let folder = tempfile::tempdir().unwrap();
        let asked = ask(driver(folder.path(), 0, 13_020)).unwrap();
        assert_eq!(asked.knows, (13, 2));
        let card = asked.clone().card(1).unwrap();
        assert_eq!(card, Card { name: "Card B".to_string(), memory: 41 << 30 });
        let message = asked.card(2).unwrap_err().to_string();
        assert_eq!(message, "there is no cuda:2 here, only cuda:0 (Card A), cuda:1 (Card B)");
    }

    #[test]
    fn a_driver_that_is_absent_or_a_stub_or_shows_no_card_or_is_old_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |library: &Path| ask(library).and_then(|driver| driver.card(0)).unwrap_err();
        let absent = refused(&folder.path().join("absent.so"));
        assert!(matches!(&absent, Obstacle::NoDriver { reason } if reason.contains("absent.so")), "{absent}");
        assert!(matches!(refused(&driver(folder.path(), STUB_LIBRARY, 0)), Obstacle::NoDriver { .. }));
        assert_eq!(refused(&driver(folder.path(), NO_DEVICE, 0)), Obstacle::NoCard);
        let odd = refused(&driver(folder.path(), 999, 0));
        assert_eq!(odd, Obstacle::Driver { call: "cuInit", code: 999 });
        let old = refused(&driver(folder.path(), 0, 12_040));
        assert_eq!(old, Obstacle::OldDriver { knows: (12, 4) });
        assert!(old.to_string().contains("12.4") && old.to_string().contains("580"), "{old}");
    }

    #[test]
    fn a_library_that_is_no_driver_is_refused() {
        let refused = ask("libc.so.6").unwrap_err();
        assert!(matches!(&refused, Obstacle::NoDriver { reason } if reason.contains("cuInit")), "{refused}");
    }
}
