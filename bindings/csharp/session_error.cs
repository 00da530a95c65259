namespace Sessions.Bindings;

public unsafe partial struct session_error
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("session_status_t")]
    public int status;

    [NativeTypeName("int32_t")]
    public int os_error;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("const char *")]
    public sbyte* message;

    [NativeTypeName("const char *")]
    public sbyte* details_json;

    [NativeTypeName("int64_t")]
    public long offset;
}
