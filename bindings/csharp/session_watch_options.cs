namespace Sessions.Bindings;

public unsafe partial struct session_watch_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint64_t")]
    public ulong after_lsn;

    [NativeTypeName("const char *")]
    public sbyte* session_id;

    [NativeTypeName("const char *")]
    public sbyte* kinds;

    [NativeTypeName("session_wake_fn")]
    public delegate* unmanaged[Cdecl]<void*, void> wake;

    public void* wake_user;
}
