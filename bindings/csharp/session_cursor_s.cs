namespace Sessions.Bindings;

public partial struct session_cursor_s
{
}
