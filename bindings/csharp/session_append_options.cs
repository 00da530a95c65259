namespace Sessions.Bindings;

public unsafe partial struct session_append_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("int64_t")]
    public long timestamp;

    [NativeTypeName("const char *")]
    public sbyte* turn_id;

    [NativeTypeName("const char *")]
    public sbyte* id;
}
