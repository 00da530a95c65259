namespace Sessions.Bindings;

public unsafe partial struct session_cursor_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint64_t")]
    public ulong after_seq;

    [NativeTypeName("int64_t")]
    public long since;

    [NativeTypeName("int64_t")]
    public long until;

    [NativeTypeName("uint32_t")]
    public uint page_bytes;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("const char *")]
    public sbyte* types;

    [NativeTypeName("const char *")]
    public sbyte* turn_id;
}
