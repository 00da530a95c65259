namespace Sessions.Bindings;

public partial struct session_s
{
}
