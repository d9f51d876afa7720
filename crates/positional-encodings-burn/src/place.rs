//! The device of a module that has no parameters.

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::tensor::Device;

/// A device that moves with the module that holds it.
#[derive(Clone, Debug)]
pub(crate) struct Place(Device);

impl Place {
    pub(crate) fn new(device: &Device) -> Self {
        Self(device.clone().inner())
    }

    pub(crate) fn device(&self) -> &Device {
        &self.0
    }
}

impl Module for Place {
    fn visit<V: ModuleVisitor>(&self, _: &mut V) {}

    fn map<M: ModuleMapper>(self, _: &mut M) -> Self {
        self
    }

    fn to_device(self, device: &Device) -> Self {
        Self::new(device)
    }

    fn fork(self, device: &Device) -> Self {
        Self::new(device)
    }

    fn collect_devices(&self, mut devices: Devices) -> Devices {
        if !devices.contains(&self.0) {
            devices.push(self.0.clone());
        }
        devices
    }

    fn materialize(self) -> Self {
        self
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn train(self) -> Self {
        self
    }
}

impl ModuleDisplayDefault for Place {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_single(&format!("{:?}", self.0)).optional()
    }
}

impl ModuleDisplay for Place {}
