namespace Sessions.Bindings;

public unsafe partial struct session_lock_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint32_t")]
    public uint timeout_ms;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("const char *")]
    public sbyte* message;
}
