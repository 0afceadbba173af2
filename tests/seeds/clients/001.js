// Connect to event stream
const evtSource = new EventSource('/ai/artifact/events/stream', {
  headers: {
    'Authorization': `Bearer ${token}`
  }
});

// Handle messages
evtSource.onmessage = (event) => {
  const data = JSON.parse(event.data);

  if (data.type === 'connected') {
    console.log('Connected to event stream');
    return;
  }

  // Handle artifact events
  if (data.job_id) {
    if (data.result) {
      // Artifact completed
      console.log(`Job ${data.job_id} completed:`, data.result);
      updateUI(data.job_id, 'completed', data.result);
    } else if (data.error) {
      // Artifact failed
      console.error(`Job ${data.job_id} failed:`, data.error);
      updateUI(data.job_id, 'failed', data.error);
    }
  }
};

// Handle errors
evtSource.onerror = (err) => {
  console.error('EventSource failed:', err);
  evtSource.close();
};

// Close when done
// evtSource.close();
