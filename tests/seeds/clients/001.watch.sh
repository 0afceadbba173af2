# Connect with authentication
curl -N -H "Authorization: Bearer <token>" \
  http://localhost:8000/ai/artifact/events/stream
