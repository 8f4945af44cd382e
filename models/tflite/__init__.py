"""TFLite: the step for small devices and microcontrollers, in single precision and in whole numbers."""
