namespace Sessions.Bindings;

public partial struct session_stream_s
{
}
