namespace Sessions.Bindings;

public partial struct session_store_s
{
}
