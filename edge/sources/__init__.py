"""Sources: where a device takes its readings from, besides a broker.

The shortest is a function that returns a value for each channel; `source: my_sensors:read` has it called each interval:

    from smbus2 import SMBus
    def read():
        return {"temperature": SMBus(1).read_byte_data(0x48, 0)}
"""
