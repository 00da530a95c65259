namespace Sessions.Bindings;

public partial struct session_watch_s
{
}
